// The WebSocket connection to the server. One image is sent at a time; its result is received before the next.

import { Pace } from "./pace.js";

/** @import { Hello, Message } from "./messages.js" */

/** Longest wait before the next attempt to connect, in milliseconds. */
const LONGEST_WAIT = 8000;

/** Sends images over a WebSocket, and connects again after the connection is lost. */
export class Link {
  /** @type {WebSocket | null} */
  socket = null;

  /** @type {Hello | null} */
  hello = null;

  /**
   * When each image was sent, in milliseconds, by its number.
   * @type {Map<number, number>}
   */
  pending = new Map();

  #pace = new Pace();

  /** @type {(message: Message) => void} Called with each message. */
  onMessage = () => {};

  /** @type {(connected: boolean) => void} Called when the connection opens or is lost. */
  onConnection = () => {};

  sent = 0;
  tries = 0;
  closed = false;
  maps = false;

  open() {
    this.closed = false;
    const address = new URL("v1/live", location.href); // the page may lie below a proxy's path
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      Object.assign(this, { sent: 0, tries: 0 });
      this.pending.clear();
      if (this.maps) this.map(true);
    };
    socket.onmessage = (event) => socket === this.socket && !this.closed && this.receive(JSON.parse(event.data));
    socket.onclose = () => this.retry(socket);
    this.socket = socket;
  }

  /** Whether an image may be sent now. */
  get free() {
    return this.socket?.readyState === WebSocket.OPEN && this.hello !== null && this.pending.size === 0;
  }

  /**
   * Send an image: the bytes of a JPEG.
   * @param {ArrayBuffer} bytes
   */
  send(bytes) {
    this.pending.set(this.sent, performance.now());
    this.sent += 1;
    this.socket?.send(bytes);
  }

  /**
   * Ask for an activation map with each face, or stop asking.
   * @param {boolean} wanted
   */
  map(wanted) {
    this.maps = wanted;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ map: wanted }));
  }

  /** Results per second, and milliseconds from an image to its result. */
  get pace() {
    return this.#pace.value;
  }

  close() {
    this.closed = true;
    this.hello = null;
    this.socket?.close();
    this.#pace.clear();
  }

  /** @param {Message} message */
  receive(message) {
    if (message.type === "hello") {
      this.hello = message;
      this.onConnection(true);
    }
    if (message.type === "result") this.#pace.add(this.pending.get(message.frame) ?? performance.now());
    if (message.type !== "hello") this.pending.clear();
    this.onMessage(message);
  }

  /** @param {WebSocket} socket */
  retry(socket) {
    if (this.closed || socket !== this.socket) return;
    this.hello = null;
    this.onConnection(false);
    this.tries += 1;
    setTimeout(() => this.closed || this.open(), Math.min(LONGEST_WAIT, 250 * 2 ** this.tries));
  }
}
