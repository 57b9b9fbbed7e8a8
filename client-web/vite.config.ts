import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// The Python server serves the built client and ships it inside the wheel.
const outDir = fileURLToPath(new URL('../server/twinclass_server/static', import.meta.url))

// Where `npm run dev` finds a running server.
const server = process.env['TWINCLASS_DEV_SERVER'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: { outDir, emptyOutDir: true, target: 'es2022', sourcemap: false },
  server: {
    host: '127.0.0.1',
    port: 18300,
    proxy: {
      '/api': server,
      '/signal': { target: server.replace(/^http/, 'ws'), ws: true },
    },
  },
  preview: { host: '127.0.0.1', port: 18310 },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
