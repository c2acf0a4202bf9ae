// The connection to the server: one picture is on its way at a time, and what was read of it comes back.

/** @import { Hello, Message } from "./messages.js" */

const LONGEST_WAIT = 8000;
const AVERAGED = 12;

/** Sends pictures over a WebSocket, and opens a new one when it breaks. */
export class Link {
  /** @type {WebSocket | null} */
  socket = null;

  /** @type {Hello | null} */
  hello = null;

  /** @type {number | null} */
  smooth = null;

  /**
   * When each picture was sent, by its number.
   * @type {Map<number, number>}
   */
  pending = new Map();

  /** @type {{ when: number, delay: number }[]} */
  answers = [];

  sent = 0;
  tries = 0;
  closed = false;
  maps = false;

  /**
   * `hear` is called with each message, `tell` with whether there is a connection.
   * @param {(message: Message) => void} hear
   * @param {(there: boolean) => void} tell
   */
  constructor(hear, tell) {
    this.hear = hear;
    this.tell = tell;
  }

  open() {
    this.closed = false;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      Object.assign(this, { sent: 0, tries: 0 });
      this.pending.clear();
      if (this.smooth !== null) this.set(this.smooth);
      if (this.maps) this.map(true);
    };
    socket.onmessage = (event) => socket === this.socket && !this.closed && this.take(JSON.parse(event.data));
    socket.onclose = () => this.retry(socket);
    this.socket = socket;
  }

  /** Whether a picture may be sent now. */
  get free() {
    return this.socket?.readyState === WebSocket.OPEN && this.hello !== null && this.pending.size === 0;
  }

  /**
   * Send a picture: the bytes of a JPEG.
   * @param {ArrayBuffer} bytes
   */
  send(bytes) {
    this.pending.set(this.sent, performance.now());
    this.sent += 1;
    this.socket?.send(bytes);
  }

  /**
   * Begin anew: people get new numbers.
   * @param {number} smooth In seconds.
   */
  set(smooth) {
    this.smooth = smooth;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ smooth }));
  }

  /**
   * Ask for maps with each face, or no longer.
   * @param {boolean} wanted
   */
  map(wanted) {
    this.maps = wanted;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ map: wanted }));
  }

  /** Readings a second, and milliseconds from a picture to its reading. */
  get pace() {
    const [first, last] = [this.answers[0], this.answers.at(-1)];
    if (!last || performance.now() - last.when > 2000) return { rate: 0, delay: 0 };
    const rate = this.answers.length > 1 ? ((this.answers.length - 1) * 1000) / (last.when - first.when) : 0;
    return { rate, delay: this.answers.reduce((sum, answer) => sum + answer.delay, 0) / this.answers.length };
  }

  close() {
    this.closed = true;
    this.hello = null;
    this.socket?.close();
    this.answers = [];
  }

  /** @param {Message} message */
  take(message) {
    if (message.type === "hello") {
      this.hello = message;
      this.tell(true);
    }
    if (message.type === "result") {
      const when = performance.now();
      this.answers.push({ when, delay: when - (this.pending.get(message.frame) ?? when) });
      if (this.answers.length > AVERAGED) this.answers.shift();
    }
    if (message.type !== "hello") this.pending.clear();
    this.hear(message);
  }

  /** @param {WebSocket} socket */
  retry(socket) {
    if (this.closed || socket !== this.socket) return;
    this.hello = null;
    this.tell(false);
    this.tries += 1;
    setTimeout(() => this.closed || this.open(), Math.min(LONGEST_WAIT, 250 * 2 ** this.tries));
  }
}
