import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { chunkGroups } from './vite-plugins/chunks.ts'
import { compress } from './vite-plugins/compress.ts'
import { preloadFonts } from './vite-plugins/preload-fonts.ts'
import { themeCss } from './vite-plugins/theme-css.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  base: '/settings/',
  plugins: [react(), themeCss(), preloadFonts(), compress()],
  build: {
    outDir: here('../../dist/web'),
    emptyOutDir: true,
    target: 'es2023',
    // Nothing inline: the page's policy allows no data: font and no script in the document.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
    // Compressing takes the most of the build, and is meant to.
    rolldownOptions: { checks: { pluginTimings: false }, output: { codeSplitting: { groups: chunkGroups } } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000' } },
})
