import { defineConfig } from 'vite'

/**
 * The edge client as one file that needs Node alone. CommonJS, since Node takes a .js file outside
 * of any package for that.
 */
export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: 'src/cli/edge-main.ts',
    target: 'node20',
    minify: true,
    reportCompressedSize: false,
    rolldownOptions: { output: { format: 'cjs', entryFileNames: 'zinc-edge.js', codeSplitting: false } },
  },
})
