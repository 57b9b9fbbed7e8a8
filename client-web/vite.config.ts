import { createHash } from 'node:crypto'
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

/** What the room screen and the console are made of: the entry, what it imports, and slides. */
const SHELL_PARTS = /\/ui\/slides\/|\/pdfjs-dist\//

/**
 * The service worker, as `/sw.js`, with the list of files that it keeps: those that the pages of a
 * classroom load, pdf.js with its character maps, and the icons. A version is the list itself, since
 * each file's name has its hash.
 */
function shellWorker(): Plugin {
  return {
    name: 'twinclass-shell-worker',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: fileURLToPath(new URL('./src/worker/shell.ts', import.meta.url)), fileName: 'sw.js' })
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle['sw.js']
        if (worker?.type !== 'chunk' || worker.imports.length > 0) this.error('the service worker must be one file')
        const wanted = new Set<string>()
        const add = (name: string): void => {
          const one = bundle[name]
          if (one === undefined || wanted.has(name)) return
          wanted.add(name)
          if (one.type !== 'chunk') return
          for (const other of [...one.imports, ...(one.viteMetadata?.importedCss ?? []), ...(one.viteMetadata?.importedAssets ?? [])]) add(other)
          for (const other of one.dynamicImports) {
            const lazy = bundle[other]
            if (lazy?.type === 'chunk' && (lazy.moduleIds.some((id) => SHELL_PARTS.test(id)))) add(other)
          }
        }
        for (const [name, one] of Object.entries(bundle)) {
          if (one.type === 'chunk' && one.isEntry && name !== 'sw.js') add(name)
          if (name.startsWith(pdfBase)) wanted.add(name)
          if (/\/pdf\.worker\..*\.mjs$/.test(name)) wanted.add(name)
        }
        const files = [...[...wanted].sort(), 'icon.svg', 'icon-192.png', 'manifest.webmanifest'].map((name) => `/${name}`)
        const html = bundle['index.html']
        const page = html?.type === 'asset' ? html.source : ''
        const version = createHash('sha256').update(files.join('\n')).update(worker.code).update(page).digest('hex').slice(0, 16)
        worker.code = worker.code.replaceAll('__SHELL_VERSION__', JSON.stringify(version)).replaceAll('__SHELL_FILES__', JSON.stringify(files))
      },
    },
  }
}

export default defineConfig({
  plugins: [vue(), pdfFiles(), oneFontFormat(), shellWorker()],
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
