import type { Plugin } from 'vite'

/**
 * Asks for the fonts together with the scripts, so that they are there when the first text is
 * drawn. The Arabic one is large and only for
 * Arabic readers: init-theme.js, which knows the language, asks for it by the address that is noted
 * here.
 */
export function preloadFonts(): Plugin {
  return {
    name: 'preload-fonts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const named = (start: string) => `/settings/${Object.keys(bundle).find((name) => name.startsWith(`assets/${start}`)) ?? ''}`
        return {
          html: html.replace(
            'src="/settings/init-theme.js"',
            `src="/settings/init-theme.js" data-arabic-font="${named('noto-sans-arabic')}"`,
          ),
          tags: [
            {
              tag: 'link',
              attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: named('inter-latin'), crossorigin: '' },
              injectTo: 'head',
            },
          ],
        }
      },
    },
  }
}
