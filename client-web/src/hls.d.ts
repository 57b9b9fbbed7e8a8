/** The light build (no captions, no alternate audio, which are not used here) has the same types. */
declare module 'hls.js/light' {
  export * from 'hls.js'
  export { default } from 'hls.js'
}
