/**
 * Where everything lies in the browser's private storage.
 *
 *     songs/<id>/song.json             name, rate, channels, length and normalisation; written when the song is read whole
 *     songs/<id>/peaks                 its peaks
 *     songs/<id>/original/<start>      its samples, in pieces named after their first one
 *     songs/<id>/<model>.<preset>/     a separation: job.json, <stem>/<start>, and the state.<n> that it goes on
 *                                      from until it is done; then done.json and <stem>.peaks
 *     exports/<id>/                    files that are being exported, until they are saved
 */

export const SONGS = "songs";
export const EXPORTS = "exports";
export const ORIGINAL = "original";
export const PEAKS = "peaks";
export const STATE = "state.";

/** What is written last of each kind: without it, the rest is unfinished. */
export const RECORDS = { song: "song.json", job: "job.json", done: "done.json" };

/** @param {string} id */
export const songFolder = (id) => `${SONGS}/${id}`;

/** @param {string} model @param {string} preset */
export const jobName = (model, preset) => `${model}.${preset}`;

/** @param {string} stem */
export const peaksOf = (stem) => `${stem}.${PEAKS}`;
