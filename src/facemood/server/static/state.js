// What the page shows now, and the engine that reads it.

/**
 * @import { PageEngine, Result, Settings } from "./messages.js"
 * @import { View } from "./people.js"
 * @import { Moving } from "./sources.js"
 *
 * @typedef {Moving | "photo"} Kind
 *
 * @typedef {object} State
 * @property {PageEngine} engine Reads the images; it is chosen before anything else is done.
 * @property {Kind | null} kind
 * @property {string} name
 * @property {MediaStream | null} stream
 * @property {{ result: Result, file: File }[]} photos
 * @property {Record<string, unknown>} info What the results of the photos depend on.
 * @property {number} place Of the shown photo in `photos`.
 * @property {File[]} files The chosen photos, or the video.
 * @property {Result | null} result
 * @property {number | null} time
 * @property {View[]} views
 * @property {boolean} smoothed
 * @property {boolean} mapped
 * @property {boolean} canMap
 * @property {boolean} units Whether action units are shown.
 * @property {boolean} calm Whether only changes that last are shown.
 * @property {Settings | null} settings Of the engine.
 * @property {boolean} covered Whether faces are hidden.
 * @property {boolean} paused
 * @property {number} due When the next image may be taken, in milliseconds.
 * @property {boolean} busy Whether an image is being taken.
 * @property {number} paced When the displayed rate was updated, in milliseconds.
 * @property {number | null} moment Of the video's last image, in seconds.
 */

/** @type {State} */
export const state = {
  engine: /** @type {any} */ (null), kind: null, name: "", stream: null, photos: [], info: {}, place: 0, files: [], result: null,
  time: 0, views: [], smoothed: true, mapped: false, canMap: false, units: false, calm: false, settings: null,
  covered: false, paused: false, due: 0, busy: false, paced: 0, moment: null,
};
