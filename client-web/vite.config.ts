import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import pdfjs from 'pdfjs-dist/package.json' with { type: 'json' }

// The Python server serves the built client and ships it inside the wheel.
const outDir = fileURLToPath(new URL('../server/twinclass_server/static', import.meta.url))

// Where `npm run dev` finds a running server.
const server = process.env['TWINCLASS_DEV_SERVER'] ?? 'http://127.0.0.1:8080'

/** Under /assets, which is cached for ever: the version is part of the address. */
const pdfBase = `assets/pdf-${pdfjs.version}/`

/**
 * What pdf.js fetches by name while it draws: character maps (Chinese documents need them),
 * standard fonts, and decoders of scanned pictures. Served by us; schools may have no way out.
 */
function pdfFiles(): Plugin {
  const folder = fileURLToPath(new URL('./node_modules/pdfjs-dist/', import.meta.url))
  const names = ['cmaps', 'standard_fonts', 'wasm'].flatMap((kind) =>
    readdirSync(`${folder}${kind}`).map((name) => `${kind}/${name}`),
  )
  return {
    name: 'twinclass-pdf-files',
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const name = request.url?.split(`/${pdfBase}`)[1] ?? ''
        if (!names.includes(name)) next()
        else createReadStream(folder + name).pipe(response)
      })
    },
    generateBundle() {
      for (const name of names) {
        this.emitFile({ type: 'asset', fileName: pdfBase + name, source: readFileSync(folder + name) })
      }
    },
  }
}

/** Fonts of formulas in one format instead of three: every browser that has WebRTC reads it. */
function oneFontFormat(): Plugin {
  return {
    name: 'twinclass-one-font-format',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/katex/') || !id.includes('.css')) return null
      return { code: code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'][a-z]+["']\)/g, ''), map: null }
    },
  }
}

export default defineConfig({
  plugins: [vue(), pdfFiles(), oneFontFormat()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __PDF_BASE__: JSON.stringify(`/${pdfBase}`),
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  // pdf.js and its worker are fetched only by pages that show slides.
  build: { outDir, emptyOutDir: true, target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 700 },
  server: {
    host: '127.0.0.1',
    port: 18300,
    proxy: {
      '/api': server,
      '/signal': { target: server.replace(/^http/, 'ws'), ws: true },
      // The page has the same address; only its socket goes to the server.
      '^/desk$': { target: server.replace(/^http/, 'ws'), ws: true, bypass: ({ headers, url }) => (headers.upgrade === 'websocket' ? undefined : url) },
    },
  },
  preview: { host: '127.0.0.1', port: 18310 },
  // Patient: a busy machine is slower by an order of magnitude.
  test: { include: ['tests/**/*.test.ts'], environment: 'node', testTimeout: 40_000 },
})
