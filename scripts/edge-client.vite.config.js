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
    rolldownOptions: {
      output: { format: 'cjs', entryFileNames: 'zinc-edge.js', codeSplitting: false },
    },
  },
  plugins: [
    {
      // V8 keeps a source of plain ASCII in half the memory.
      name: 'ascii',
      generateBundle(_options, bundle) {
        for (const chunk of Object.values(bundle))
          if (chunk.type === 'chunk')
            chunk.code = chunk.code.replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
      },
    },
  ],
})
