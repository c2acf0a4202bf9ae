// Pixels as OpenCV computes them: grey, resizing by area and bilinearly. Probabilities depend on single grey levels, so
// no canvas resizes anything here.

/**
 * An image: `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (RGB).
 * @typedef {{ data: Uint8Array, width: number, height: number, channels: number }} Picture
 */

/** Weights of red, green and blue in a grey level, in units of 2^-15. */
const GREY_WEIGHTS = [9798, 19235, 3735];

/** Fixed-point one of the bilinear weights: 11 bits, as in OpenCV. */
const LINEAR_ONE = 2048;

/** Smallest part of a pixel that counts in resizing by area. */
const SMALLEST_PART = 1e-3;

/**
 * Round to the nearest whole number, halves to the even one, as Python and OpenCV do.
 * @param {number} value
 */
export function roundHalfEven(value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/**
 * Return an image of zeros.
 * @param {number} width
 * @param {number} height
 * @param {number} channels
 * @returns {Picture}
 */
export function blank(width, height, channels) {
  return { data: new Uint8Array(width * height * channels), width, height, channels };
}

/**
 * Return an image to write into: a former one that is not needed any more, if it has the size, or a new one.
 * @param {Picture | null} former
 * @param {number} width
 * @param {number} height
 * @param {number} channels
 */
function reused(former, width, height, channels) {
  const fits = former?.width === width && former.height === height && former.channels === channels;
  return fits ? former : blank(width, height, channels);
}

/**
 * Drop the alpha of a canvas's pixels.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} pixels As of `getImageData`.
 * @param {Picture | null} [former] The last frame's, which is overwritten if it has the size.
 * @returns {Picture} RGB.
 */
export function rgbOf({ data, width, height }, former = null) {
  const image = reused(former, width, height, 3);
  const bytes = image.data;
  for (let from = 0, to = 0; from < data.length; from += 4) {
    bytes[to++] = data[from];
    bytes[to++] = data[from + 1];
    bytes[to++] = data[from + 2];
  }
  return image;
}

/**
 * Convert an image to grey.
 * @param {Picture} image
 * @param {Picture | null} [former] The last frame's, which is overwritten if it has the size.
 */
export function greyOf(image, former = null) {
  if (image.channels === 1) return image;
  const grey = reused(former, image.width, image.height, 1);
  const [colours, levels] = [image.data, grey.data];
  const [red, green, blue] = GREY_WEIGHTS;
  for (let from = 0, to = 0; to < levels.length; from += 3) {
    const sum = colours[from] * red + colours[from + 1] * green + colours[from + 2] * blue;
    levels[to++] = (sum + 16384) >> 15;
  }
  return grey;
}

/**
 * Copy a rectangle; outside of the image, the pixels of its edge are repeated.
 * @param {Picture} image
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
export function cutOut(image, left, top, width, height) {
  const { channels } = image;
  const part = blank(width, height, channels);
  for (let y = 0, to = 0; y < height; y++) {
    const row = clamp(top + y, 0, image.height - 1) * image.width;
    for (let x = 0; x < width; x++) {
      const from = (row + clamp(left + x, 0, image.width - 1)) * channels;
      for (let channel = 0; channel < channels; channel++) part.data[to++] = image.data[from + channel];
    }
  }
  return part;
}

/**
 * Resize an image for a network: by area when it is shrunk, bilinearly when it is enlarged.
 * @param {Picture} image
 * @param {number} width
 * @param {number} height
 */
export function resize(image, width, height) {
  if (image.width === width && image.height === height) return image;
  const shrink = image.width > width || image.height > height;
  return shrink ? resizeArea(image, width, height) : resizeLinear(image, width, height);
}

/**
 * Shrink an image by averaging areas (INTER_AREA).
 * @param {Picture} image
 * @param {number} width At most the image's.
 * @param {number} height At most the image's.
 * @throws {RangeError} The image would be enlarged.
 */
export function resizeArea(image, width, height) {
  if (width > image.width || height > image.height) {
    throw new RangeError(`${image.width}x${image.height} pixels cannot be shrunk to ${width}x${height}`);
  }
  const whole = image.width % width === 0 && image.height % height === 0;
  return whole ? averageBlocks(image, width, height) : averageParts(image, width, height);
}

/**
 * Average blocks of whole pixels.
 * @param {Picture} image
 * @param {number} width A divisor of the image's.
 * @param {number} height A divisor of the image's.
 */
function averageBlocks(image, width, height) {
  const { channels } = image;
  const [across, down] = [image.width / width, image.height / height];
  const share = Math.fround(1 / (across * down));
  const halvesUp = across === 2 && down === 2; // OpenCV rounds halves up in this one case
  const small = blank(width, height, channels);
  for (let to = 0; to < small.data.length; to++) {
    const channel = to % channels;
    const pixel = (to - channel) / channels;
    const x = pixel % width;
    const y = (pixel - x) / width;
    let sum = 0;
    for (let row = 0; row < down; row++) {
      let from = ((y * down + row) * image.width + x * across) * channels + channel;
      for (let column = 0; column < across; column++, from += channels) sum += image.data[from];
    }
    small.data[to] = halvesUp ? (sum + 2) >> 2 : roundHalfEven(Math.fround(sum * share));
  }
  return small;
}

/**
 * Average areas that begin and end within pixels, in single precision.
 * @param {Picture} image
 * @param {number} width
 * @param {number} height
 */
function averageParts(image, width, height) {
  const { channels } = image;
  const [across, down] = [areaWeights(image.width, width), areaWeights(image.height, height)];
  const small = blank(width, height, channels);
  const length = width * channels;
  const [sums, means] = [new Float32Array(length), new Float32Array(length)];
  for (let y = 0, averaged = -1; y < height; y++) {
    sums.fill(0);
    for (let part = down.first[y]; part < down.first[y + 1]; part++) {
      const row = down.index[part];
      if (row !== averaged) averageRow(image, row, across, means);
      averaged = row; // two rows of the small image may share one
      for (let to = 0; to < length; to++) sums[to] += Math.fround(means[to] * down.weight[part]);
    }
    for (let to = 0; to < length; to++) small.data[y * length + to] = Math.min(255, roundHalfEven(sums[to]));
  }
  return small;
}

/**
 * Average the pixels of one row.
 * @param {Picture} image
 * @param {number} row
 * @param {ReturnType<typeof areaWeights>} across
 * @param {Float32Array} means One for each pixel of the small image, and each channel.
 */
function averageRow({ data, width, channels }, row, { first, index, weight }, means) {
  for (let channel = 0; channel < channels; channel++) {
    const start = row * width * channels + channel;
    for (let x = 0, to = channel; to < means.length; x++, to += channels) {
      let mean = 0;
      for (let part = first[x]; part < first[x + 1]; part++) {
        mean = Math.fround(mean + Math.fround(data[start + index[part] * channels] * weight[part]));
      }
      means[to] = mean;
    }
  }
}

/**
 * Return which pixels of one side each pixel of the shorter side covers, and their weights.
 * @param {number} from
 * @param {number} to
 */
function areaWeights(from, to) {
  const scale = from / to;
  const first = new Int32Array(to + 1);
  /** @type {number[]} */ const index = [];
  /** @type {number[]} */ const weight = [];
  for (let pixel = 0; pixel < to; pixel++) {
    const start = pixel * scale;
    const end = start + scale;
    const cell = Math.min(scale, from - start);
    const last = Math.min(Math.floor(end), from - 1);
    const whole = Math.min(Math.ceil(start), last);
    first[pixel] = index.length;
    if (whole - start > SMALLEST_PART) {
      index.push(whole - 1);
      weight.push((whole - start) / cell);
    }
    for (let at = whole; at < last; at++) {
      index.push(at);
      weight.push(1 / cell);
    }
    if (end - last > SMALLEST_PART) {
      index.push(last);
      weight.push(Math.min(end - last, 1, cell) / cell);
    }
  }
  first[to] = index.length;
  return { first, index: Int32Array.from(index), weight: Float32Array.from(weight) };
}

/**
 * Resize an image bilinearly (INTER_LINEAR).
 * @param {Picture} image
 * @param {number} width
 * @param {number} height
 */
export function resizeLinear(image, width, height) {
  const { channels, data } = image;
  const [across, down] = [linearWeights(image.width, width), linearWeights(image.height, height)];
  const [lastColumn, lastRow] = [image.width - 1, image.height - 1];
  const large = blank(width, height, channels);
  for (let y = 0, to = 0; y < height; y++) {
    const upper = clamp(down.index[y], 0, lastRow) * image.width;
    const lower = clamp(down.index[y] + 1, 0, lastRow) * image.width;
    for (let x = 0; x < width; x++) {
      const left = clamp(across.index[x], 0, lastColumn);
      const right = clamp(across.index[x] + 1, 0, lastColumn);
      const near = across.near[x];
      const far = across.far[x];
      for (let channel = 0; channel < channels; channel++) {
        const above = data[(upper + left) * channels + channel] * near + data[(upper + right) * channels + channel] * far;
        const below = data[(lower + left) * channels + channel] * near + data[(lower + right) * channels + channel] * far;
        large.data[to++] = (((down.near[y] * (above >> 4)) >> 16) + ((down.far[y] * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return large;
}

/**
 * Return the first of the two pixels of one side that each pixel of another side lies between, and their weights. Beyond the
 * edge, the pixel of the edge counts twice.
 * @param {number} from
 * @param {number} to
 */
function linearWeights(from, to) {
  const index = new Int32Array(to);
  const near = new Int32Array(to);
  const far = new Int32Array(to);
  const scale = from / to;
  for (let pixel = 0; pixel < to; pixel++) {
    const place = Math.fround((pixel + 0.5) * scale - 0.5);
    const left = Math.floor(place);
    const share = Math.fround(place - left);
    index[pixel] = left;
    near[pixel] = roundHalfEven(Math.fround((1 - share) * LINEAR_ONE));
    far[pixel] = roundHalfEven(Math.fround(share * LINEAR_ONE));
  }
  return { index, near, far };
}

/**
 * Return a value within limits.
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
export function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
