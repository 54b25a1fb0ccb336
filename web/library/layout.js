/**
 * Paths in the browser's private storage.
 *
 *     songs/<id>/song.json             name, rate, channels, length and normalisation; written when the song is complete
 *     songs/<id>/peaks                 its peaks
 *     songs/<id>/original/<start>      its samples, in pieces named after their first sample
 *     songs/<id>/<model>.<preset>/     a job: job.json, <stem>/<start> and its resume point state.<n>; when it is done,
 *                                      done.json and <stem>.peaks
 *     exports/<id>/                    temporary files of an export, until it is saved
 */

export const SONGS = "songs";
export const EXPORTS = "exports";
export const ORIGINAL = "original";
export const PEAKS = "peaks";
export const STATE = "state.";

/** Records, written last: a song or job without its record is unfinished. */
export const RECORDS = { song: "song.json", job: "job.json", done: "done.json" };

/** @param {string} id */
export const songFolder = (id) => `${SONGS}/${id}`;

/** @param {string} model @param {string} preset */
export const jobName = (model, preset) => `${model}.${preset}`;

/** @param {string} stem */
export const peaksOf = (stem) => `${stem}.${PEAKS}`;
