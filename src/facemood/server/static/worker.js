// Beside the page: a beat, and pictures made into JPEG. Neither is slowed down here while the page is hidden or busy.

const BEAT = 30;
const QUALITY = 0.85;
const canvas = new OffscreenCanvas(1, 1);

/** @param {MessageEvent<{ bitmap: ImageBitmap, size: [number, number] }>} event */
onmessage = async ({ data: { bitmap, size } }) => {
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false })).drawImage(bitmap, 0, 0, ...size);
  bitmap.close();
  const file = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const bytes = await file.arrayBuffer();
  postMessage(bytes, [bytes]);
};

setInterval(() => postMessage(null), BEAT);
