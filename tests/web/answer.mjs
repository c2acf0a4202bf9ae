// Reads tasks from standard input, one JSON document, and answers them by the modules of src/facemood/web.

import { readFileSync } from "node:fs";
import { cutFace, squareOf } from "../../src/facemood/web/align.js";
import { greyOf, resizeArea, resizeLinear, rgbOf } from "../../src/facemood/web/pixels.js";
import { cutSquare } from "../../src/facemood/web/squares.js";

const unpack = ({ data, ...shape }) => ({ ...shape, data: new Uint8Array(Buffer.from(data, "base64")) });
const pack = ({ data }) => Buffer.from(data).toString("base64");
const answers = {
  rgb: ({ image }) => pack(rgbOf(unpack(image))),
  grey: ({ image }) => pack(greyOf(unpack(image))),
  area: ({ image, width, height }) => pack(resizeArea(unpack(image), width, height)),
  linear: ({ image, width, height }) => pack(resizeLinear(unpack(image), width, height)),
  square: ({ image, frame, size }) => pack(cutSquare(unpack(image), Float32Array.from(frame), size)),
  face: ({ image, box, points, framing }) => {
    const face = { box: Float32Array.from(box), points: points && Float32Array.from(points) };
    const square = squareOf(face, framing, "finder");
    return { box: [...square.box], tilt: square.tilt, crop: pack(cutFace(unpack(image), square)) };
  },
};
const tasks = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(tasks.map(({ call, ...task }) => answers[call](task))));
