// Runs before anything is painted, so that the right theme and direction are there from the first frame.
// A file of its own since the page's policy allows no script inside the document.
;(() => {
  const root = document.documentElement
  let scheme = null
  let language = null
  try {
    scheme = localStorage.getItem('zinc-color-scheme')
    language = localStorage.getItem('zinc-language')
  } catch {
    // Storage may be forbidden: then the defaults hold.
  }
  if (scheme !== 'light' && scheme !== 'dark') scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  if (language !== 'en' && language !== 'ar') language = (navigator.language || 'en').startsWith('ar') ? 'ar' : 'en'
  root.setAttribute('data-mantine-color-scheme', scheme)
  root.lang = language
  root.dir = language === 'ar' ? 'rtl' : 'ltr'
  const font = document.currentScript.dataset.arabicFont
  if (language === 'ar' && font) {
    const link = document.createElement('link')
    Object.assign(link, { rel: 'preload', as: 'font', type: 'font/woff2', crossOrigin: '', href: font })
    document.head.append(link)
  }
})()
