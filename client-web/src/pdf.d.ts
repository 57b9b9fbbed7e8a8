/** Where the files of pdf.js are served from; set by vite.config.ts. */
declare const __PDF_BASE__: string
