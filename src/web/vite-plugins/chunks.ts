/**
 * Left alone, the build makes a chunk of each module that two pages share: some fifty small files,
 * which a slow line pays for one by one.
 * These groups hold what every page needs, and nothing that only some do: dialogs, pickers and
 * galleries stay with the pages that open them.
 */
const FRAME = /\/src\/(facts|messages\/(message|catalogues)|web\/(api|app|components|i18n|runs|failures\/(queries|messages)))/
/** Of the frame's folders, but loaded when they are opened. */
const LATER =
  /(login|search-dialog|start-dialog|plan-summary|menu-drawer|confirm|run-actions|record-changes|page-tabs|bar-chart|csv|date-range|file-drop|password-field|code-line|sortable|pages)/
const MANTINE_OF_EVERY_PAGE =
  /@mantine\/core\/esm\/(core|utils)\/|@mantine\/core\/esm\/components\/(ActionIcon|Button|CloseButton|FloatingIndicator|FocusTrap|Input|InputBase|Loader|NativeSelect|Notification|Paper|PasswordInput|Popover|Portal|SegmentedControl|Skeleton|TextInput|Tooltip|Transition|UnstyledButton|VisuallyHidden)\//
/**
 * The icons of the frame and of the overview, by name. One that is missing here brings all others
 * into the first load, which the test of its size notices. Some are files under another name than
 * they are imported by.
 */
const ICONS_OF_FIRST_PAGE =
  /lucide-react\/dist\/esm\/(?!icons\/)|\/icons\/(arrow-left|ban|bell|blocks|check|chevron-down|chevrons-up-down|circle-check|circle-exclamation-point|compass|copy|database-backup|download|images|info|key-round|layout-dashboard|log-out|menu|package|pause|play|plug|radio|refresh-cw|rotate-ccw|rotate-ccw-clock|scroll-text|search|store|triangle-exclamation-point|user-round|users|webhook)\.mjs/

export const chunkGroups = [
  {
    name: 'react',
    test: /node_modules\/(react|react-dom|scheduler|wouter|regexparam|use-sync-external-store|@tanstack\/(query-core|react-query))\//,
    priority: 4,
  },
  { name: 'icons', test: (id: string) => /node_modules\/lucide-react\//.test(id) && ICONS_OF_FIRST_PAGE.test(id), priority: 4 },
  { name: 'page-icons', test: /node_modules\/lucide-react\//, priority: 3 },
  {
    name: 'mantine',
    test: (id: string) =>
      MANTINE_OF_EVERY_PAGE.test(id) ||
      /node_modules\/(@mantine\/(hooks(?!.*use-resize-observer)|notifications)|@floating-ui|clsx|react-transition-group)\//.test(id),
    priority: 2,
  },
  { name: 'frame', test: (id: string) => FRAME.test(id) && !LATER.test(id), priority: 1 },
]
