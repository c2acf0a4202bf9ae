// Reads tasks from standard input, one JSON document, and answers them by the modules of src/facemood/web.

import { readFileSync } from "node:fs";
import { ActionUnits } from "../../src/facemood/web/action_units.js";
import { cutFace, squareOf } from "../../src/facemood/web/align.js";
import { blurredFace, hiddenPart } from "../../src/facemood/web/anonymize.js";
import { appearanceOf } from "../../src/facemood/web/appearance.js";
import { convexHull, fillConvex } from "../../src/facemood/web/convex_fill.js";
import { readCard } from "../../src/facemood/web/card.js";
import { predict } from "../../src/facemood/web/expression.js";
import { boundedScale, combineScores, tilesOf } from "../../src/facemood/web/finder.js";
import { boxOfPoints, iom, iou, nonMaxSuppression } from "../../src/facemood/web/geometry.js";
import { assign } from "../../src/facemood/web/least_cost.js";
import { UnitBaseline } from "../../src/facemood/web/unit_baseline.js";
import { UnitSmoother } from "../../src/facemood/web/unit_smoother.js";
import { Smoother } from "../../src/facemood/web/smoother.js";
import { turnBox, turnPicture, turnPoints } from "../../src/facemood/web/orientation.js";
import { Calm } from "../../src/facemood/server/static/calm.js";
import { placeLabels } from "../../src/facemood/server/static/label_places.js";
import { cutOut, greyOf, resizeArea, resizeLinear, rgbOf } from "../../src/facemood/web/pixels.js";
import { joinLanes } from "../../src/facemood/web/site_files.js";
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
  card: ({ data }) => readCard(new Uint8Array(Buffer.from(data, "base64"))),
  predict: ({ card, head, logits, prior }) => {
    const { probabilities, certain } = predict(card, head, logits, prior);
    return { probabilities: [...probabilities], certain };
  },
  overlaps: ({ one, other }) => [iou(Float32Array.from(one), Float32Array.from(other)), iom(Float32Array.from(one), Float32Array.from(other))],
  suppress: ({ boxes, scores, iouFrom, iomFrom }) => {
    const scored = boxes.map((box, index) => ({ box: Float32Array.from(box), score: scores[index], index }));
    return nonMaxSuppression(scored, { iouFrom, iomFrom: iomFrom ?? Infinity }).map(({ index }) => index);
  },
  boxOfPoints: ({ points }) => [...boxOfPoints(Float32Array.from(points))],
  tiles: ({ image }) => [...tilesOf(unpack(image), (length) => new Float32Array(length))].map(({ data, width, height, x, y }) => ({ data: pack({ data: Uint8Array.from(data) }), width, height, x, y })),
  scale: ({ width, height, scale }) => boundedScale({ width, height }, scale),
  combine: ({ scores, presence }) => scores.map((score, index) => combineScores(score, presence[index])),
  assign: ({ costs, limit }) => [...assign(costs, limit)],
  appearance: ({ image, box }) => [...appearanceOf(unpack(image), Float32Array.from(box))],
  smooth: ({ seconds, times, rows }) => {
    const smoother = new Smoother(seconds);
    return rows.map((row, index) => {
      smoother.begin(times[index]);
      const { probabilities, displayed } = smoother.smooth(1, Float32Array.from(row));
      return { probabilities: [...probabilities], displayed };
    });
  },
  units: ({ parameters, image, faces }) => {
    const units = new ActionUnits(parameters);
    return faces.map(({ points, score }) => {
      const measured = units.measure(unpack(image), { box: new Float32Array(4), points: Float32Array.from(points), score });
      return { pose: measured.pose && [...measured.pose], units: measured.units };
    });
  },
  relative: ({ parameters, seconds, times, rows }) => {
    const scale = () => new ActionUnits(parameters);
    const [smoother, baseline] = [new UnitSmoother(seconds, scale), new UnitBaseline(scale)];
    return rows.map((units, index) => {
      smoother.begin(times[index]);
      baseline.begin(times[index]);
      return units && baseline.compare(1, smoother.smooth(1, units));
    });
  },
  calm: ({ times, labels }) => {
    const calm = new Calm();
    return labels.map((label, index) => calm.keep([{ key: 1, label, confidence: index, box: [index, 0, 0, 0] }], times[index])[0]);
  },
  places: ({ boxes, widths, room }) => placeLabels(boxes, widths, room),
  fill: ({ points, size }) => [...fillConvex(convexHull(points), size)],
  hide: ({ image, box }) => {
    const whole = unpack(image);
    const part = hiddenPart(box, whole);
    const face = cutOut(whole, part.x, part.y, part.width, part.height);
    return { ...part, data: pack(blurredFace(face, Math.max(box[2] - box[0], box[3] - box[1]))) };
  },
  join: ({ data, lanes }) => pack({ data: joinLanes(new Uint8Array(Buffer.from(data, "base64")), lanes) }),
  turn: ({ image, degrees, box, points }) => {
    const size = { width: image.width, height: image.height };
    const turned = turnPicture(unpack(image), degrees);
    return {
      image: pack(turned), size: [turned.width, turned.height],
      box: [...turnBox(Float32Array.from(box), degrees, size)], points: [...turnPoints(Float32Array.from(points), degrees, size)],
    };
  },
};
const attempt = ({ call, ...task }) => {
  try {
    return answers[call](task);
  } catch (error) {
    return { error: error.message };
  }
};
const tasks = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(tasks.map(attempt)));
