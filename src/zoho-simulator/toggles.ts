/**
 * Where Zoho's behaviour is documented in several ways, or differs between organizations: each can
 * be chosen, the first one is the default.
 */
export interface SimulatorToggles {
  /** How a token request beyond ten in ten minutes is refused. */
  tokenThrottle: 'long_400' | 'long_200' | 'denied_200' | 'localised_200'
  /**
   * Some older products count `expires_in` in milliseconds, with or without the seconds next to it.
   */
  expiresIn: 'seconds' | 'milliseconds' | 'both'
  /**
   * The API URL in the token response; null: the simulator's own. A hostile one must never be
   * followed.
   */
  apiDomain: string | null
  /** How a missing, expired or insufficient token is refused. */
  tokenRefusal: { status: 401 | 200 | 403; code: 57 | 14 }
  /** A `per_page` above 200. */
  perPageAbove200: 'cap' | 'refuse'
  pagePastEnd: 'empty' | 'refuse'
  /** The list shows an edit (or a new item) only this long after it was made. */
  listLagMs: number
  /** Whether a stock movement alone makes the row newer. */
  stockTouchesModified: boolean
  imageTouchesModified: boolean
  imageMakesNewDocument: boolean
  /** The most ids that `itemdetails` accepts; more: 414. */
  maxDetailIds: number
  /** Where a detail has its custom fields; `absent`: the item has none and the keys are omitted. */
  detailCustomFields: 'both' | 'list' | 'hash' | 'absent'
  /**
   * Under which key a detail names the main image; `name_only`: only image_name and image_type show
   * that there is one.
   */
  detailImage: 'document_id' | 'image_id' | 'name_only'
  detailDocuments: 'list' | 'absent'
  /**
   * Ids for which `itemdetails` refuses the whole call with 400; with `refuse`, also everything
   * that is not made of digits.
   */
  refusedItemIds: string[]
  malformedItemIds: 'left_out' | 'refuse'
  /**
   * How far the `Date` header of the API's responses is behind or ahead of the clock; null: there
   * is none.
   */
  dateHeader: number | null
  /**
   * Which rows name a group: every one, those without variants one with their own name (newer
   * organizations), or only those with variants.
   */
  groupKeys: 'every' | 'grouped'
  /** Whether the organization has locations, or is an older one with warehouses. */
  places: 'locations' | 'warehouses'
  /** What the path of the other kind of places responds. */
  otherPlaces: '404' | 'empty'
  /** The list of locations nests all others below the first. */
  locationTree: boolean
  /** How details write stock by location. */
  stockFigures: 'number' | 'string'
  /** Custom fields that the list does not show; details do. */
  hiddenFields: string[]
  /** Whether the detail of a group has its fields beside `code`, or in an object. */
  groupDetail: 'bare' | 'wrapped'
  /** Whether a group's new name makes its items newer. */
  groupTouchesItems: boolean
  /** Whether another rate makes its price list newer. */
  rateTouchesList: boolean
  /** `absent`: the detail of a price list comes without its items. */
  priceBookItems: 'list' | 'absent'
  /** The code for a price list that does not exist. */
  missingPriceBook: 1001 | 1002
  noImage: '404' | '200_json' | '200_empty' | '204'
  imageType: 'right' | 'missing' | 'octet_stream' | 'wrong'
  imagesCount: boolean
}

export const DEFAULT_TOGGLES: SimulatorToggles = {
  tokenThrottle: 'long_400',
  expiresIn: 'seconds',
  apiDomain: null,
  tokenRefusal: { status: 401, code: 57 },
  perPageAbove200: 'cap',
  pagePastEnd: 'empty',
  listLagMs: 0,
  stockTouchesModified: false,
  imageTouchesModified: true,
  imageMakesNewDocument: true,
  maxDetailIds: 200,
  detailCustomFields: 'both',
  detailImage: 'document_id',
  detailDocuments: 'list',
  refusedItemIds: [],
  malformedItemIds: 'left_out',
  dateHeader: 0,
  groupKeys: 'every',
  places: 'locations',
  otherPlaces: '404',
  locationTree: false,
  stockFigures: 'number',
  hiddenFields: [],
  groupDetail: 'bare',
  groupTouchesItems: false,
  rateTouchesList: false,
  priceBookItems: 'list',
  missingPriceBook: 1002,
  noImage: '404',
  imageType: 'right',
  imagesCount: true,
}
