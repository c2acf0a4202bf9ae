// The card of a model, read from the metadata of its ONNX file, so that the labels and the figures stand there alone.

/**
 * The rule of `prior="tuned"` for one head; see models/operating_point.py.
 * @typedef {{ second: string, weight: number, strength: number, temperature: number, certain: number }} OperatingPoint
 */

/**
 * What the engine needs of a card; see models/card.py.
 * @typedef {object} ModelCard
 * @property {string} name
 * @property {string} version
 * @property {string} task
 * @property {Record<string, string[]>} heads Labels of the logits of each output of the network.
 * @property {string} default_head
 * @property {[number, number]} input_size Width and height in pixels.
 * @property {"grey" | "bgr" | "rgb"} colour
 * @property {number[]} mean Subtracted from the pixels 0..255, one for each channel.
 * @property {number[]} std Divides them afterwards.
 * @property {Record<string, number>} temperature
 * @property {Record<string, number[]>} prior
 * @property {Record<string, number>} balance
 * @property {Record<string, number>} certain
 * @property {Record<string, OperatingPoint>} operating_point
 * @property {Record<string, number[]>} framing
 */

/** Key of the card in the ONNX file's metadata. */
const METADATA_KEY = "facemood.card";

/** Field of the metadata in ONNX's ModelProto. */
const METADATA_FIELD = 14;

/** Wire types of protobuf: a varint, 8 bytes, a length and so many bytes, 4 bytes. */
const WIRE = { varint: 0, long: 1, bytes: 2, word: 5 };

/** Fields that a card may lack, and what they are then. */
const DEFAULTS = {
  version: "1", task: "expression", input_size: [48, 48], colour: "grey", mean: [0], std: [1], temperature: {}, prior: {},
  balance: {}, certain: {}, operating_point: {}, framing: {},
};

/**
 * Read the card of a model.
 * @param {Uint8Array} model An ONNX file.
 * @returns {ModelCard}
 * @throws {Error} The file is not an ONNX model, or it has no card.
 */
export function readCard(model) {
  const text = metadataOf(model).get(METADATA_KEY);
  if (text === undefined) throw new Error("the ONNX file has no facemood card; export the model with 'facemood export'");
  const card = { ...DEFAULTS, ...JSON.parse(text) };
  const missing = ["name", "heads", "default_head"].find((field) => !(field in card));
  if (missing) throw new Error(`this is not a facemood model card: the field '${missing}' is missing`);
  return card;
}

/**
 * Return the metadata of an ONNX file: texts by their names.
 * @param {Uint8Array} model
 * @returns {Map<string, string>}
 * @throws {Error} The file is not an ONNX model.
 */
export function metadataOf(model) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const decoder = new TextDecoder();
  for (const { number, value } of fieldsOf(model)) {
    if (number !== METADATA_FIELD) continue;
    const entry = new Map([...fieldsOf(value)].map((field) => [field.number, decoder.decode(field.value)]));
    found.set(entry.get(1) ?? "", entry.get(2) ?? "");
  }
  return found;
}

/**
 * Yield the fields of a protobuf message whose values are bytes; all others are skipped.
 * @param {Uint8Array} message
 * @returns {Generator<{ number: number, value: Uint8Array }>}
 */
function* fieldsOf(message) {
  for (let at = 0; at < message.length;) {
    const key = varint(message, at);
    const number = Math.floor(key.value / 8);
    const body = key.end;
    switch (key.value % 8) {
      case WIRE.varint:
        at = varint(message, body).end;
        break;
      case WIRE.long:
        at = body + 8;
        break;
      case WIRE.word:
        at = body + 4;
        break;
      case WIRE.bytes: {
        const length = varint(message, body);
        at = length.end + length.value;
        if (at <= message.length) yield { number, value: message.subarray(length.end, at) };
        break;
      }
      default:
        at = Infinity;
    }
    if (at > message.length) throw new Error("this is not an ONNX model: it is damaged or incomplete");
  }
}

/**
 * Read a number of protobuf's variable length.
 * @param {Uint8Array} message
 * @param {number} at
 */
function varint(message, at) {
  let value = 0;
  for (let place = 0; place < 10; place++) {
    const byte = message[at + place] ?? 0;
    value += (byte % 128) * 128 ** place;
    if (byte < 128) return { value, end: at + place + 1 };
  }
  return { value, end: Infinity };
}
