// A worker that encodes images as JPEG for the server.

/** JPEG quality, 0..1. */
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
