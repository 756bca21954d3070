import type { MessageKey } from '../../messages/say.ts'

type Code = MessageKey extends infer K ? (K extends `${infer C}.${string}` ? C : K) : never
type Errors = Record<number, readonly Code[]>

const product = { 404: ['product_not_found'], 409: ['ambiguous_reference'] } as const
const image = { 404: ['product_not_found', 'image_not_found'], 409: ['ambiguous_reference'] } as const
const store = { 404: ['store_not_found'] } as const
const edge = { 400: ['store_id_required'], 403: ['store_mismatch', 'store_paused'], 404: ['store_not_found'] } as const
const run = { 404: ['run_not_found'] } as const
const session = { 400: ['no_such_folder'], 404: ['session_not_found'] } as const
const webhook = { 404: ['webhook_not_found'] } as const
const cursor = { 400: ['invalid_cursor'] } as const
/** Of Zoho, when it is asked while the client waits. */
const zoho = { 502: ['not_set_up', 'invalid_code', 'invalid_client', 'access_denied', 'scope_missing', 'zoho_unreachable'] } as const
const form = { 400: ['invalid_multipart'], 413: ['payload_too_large', 'too_many_parts'] } as const
const unusable = ['not_an_image', 'truncated', 'corrupt', 'too_many_pixels', 'side_too_long'] as const

/** The error codes that an operation has besides those of every operation of its kind. */
export const ERRORS_OF: Record<string, Errors> = {
  login: { 401: ['invalid_credentials', 'challenge_invalid', 'second_factor_required'], 403: ['csrf_rejected'] },
  refreshTokens: { 401: ['refresh_token_invalid'], 403: ['csrf_rejected'] },
  changePassword: { 400: ['weak_password'], 401: ['invalid_credentials'] },
  endSession: { 404: ['session_not_found'] },
  startSecondFactor: { 409: ['totp_enabled'] },
  confirmSecondFactor: { 401: ['invalid_code'], 409: ['totp_not_begun', 'totp_enabled'] },
  removeSecondFactor: { 401: ['invalid_credentials', 'invalid_code'] },
  createUser: { 400: ['weak_password'], 409: ['username_taken'] },
  changeUser: { 400: ['weak_password'], 404: ['user_not_found'], 409: ['username_taken', 'last_admin'] },
  deleteUser: { 404: ['user_not_found'], 409: ['last_admin'] },
  createApiKey: { 409: ['api_key_name_taken'] },
  revokeApiKey: { 404: ['api_key_not_found'] },
  rotateApiKey: { 404: ['api_key_not_found'] },

  listProducts: { 400: ['invalid_cursor', 'invalid_time'] },
  getProduct: product,
  changeProduct: { ...product, 409: ['owned_by_zoho', 'ambiguous_reference'] },
  deleteProduct: { ...product, 409: ['product_in_zoho', 'ambiguous_reference'], 502: zoho[502] },
  listProductChanges: { ...cursor, 410: ['cursor_expired', 'epoch_changed'] },
  changeFieldMapping: { 400: ['fixed_source', 'unknown_source'] },
  previewFieldMapping: { 400: ['fixed_source', 'unknown_source'], 404: ['item_not_found'], ...zoho },

  getImageFile: { 404: ['image_not_found', 'image_file_missing', 'image_file_damaged'], 416: ['range_not_satisfiable'] },
  getSignedImageFile: {
    403: ['image_url_invalid'],
    404: ['image_not_found', 'image_file_missing', 'image_file_damaged'],
    410: ['image_replaced'],
    416: ['range_not_satisfiable'],
  },
  uploadProductImage: {
    400: ['invalid_multipart', 'image_url_blocked'],
    404: ['product_not_found'],
    413: ['payload_too_large', 'too_many_parts', 'image_too_large'],
    422: unusable,
    502: ['image_url_failed', 'incomplete'],
  },
  listProductImages: product,
  changeProductImage: image,
  orderProductImages: { ...product, 400: ['image_order_mismatch'] },
  deleteProductImage: image,
  restoreProductImage: { 404: ['image_not_found'], 409: ['image_not_deleted', 'product_deleted'], 410: ['restore_expired'] },
  compareProductImages: product,
  sendImagesToZoho: {
    404: ['product_not_found', 'image_not_found'],
    409: ['image_from_zoho', 'not_in_zoho'],
    413: ['image_too_large'],
    ...zoho,
  },
  deleteImages: { 404: ['image_not_found'] },
  restoreImages: { 404: ['image_not_found'], 409: ['image_not_deleted', 'product_deleted'], 410: ['restore_expired'] },
  regenerateVariantsOf: { 404: ['image_not_found'] },
  refetchImages: { 404: ['product_not_found'], 409: ['no_remote_source'] },
  importImages: {
    400: ['invalid_multipart', 'not_a_zip', 'unsafe_path'],
    409: ['sync_running'],
    413: ['payload_too_large', 'too_many_parts', 'zip_too_large', 'import_too_large'],
  },
  previewImageImport: { 400: ['invalid_multipart', 'not_a_zip', 'unsafe_path'], 413: [...form[413], 'zip_too_large', 'import_too_large'] },
  startPreviewedImageImport: { 404: ['import_not_found'], 409: ['import_started', 'sync_running'] },
  regenerateVariants: { 409: ['sync_running'] },
  getIntegrityReport: cursor,
  startIntegrityScan: { 409: ['sync_running'] },
  startIntegrityRepair: { 409: ['sync_running'] },
  fetchGalleries: { 409: ['sync_running'] },

  createStore: { 409: ['store_exists', 'store_code_taken'] },
  getStore: store,
  changeStore: { 404: ['store_not_found'], 409: ['store_code_taken', 'mass_delete_stopped'] },
  deleteStore: store,
  listStoreTokens: store,
  createStoreToken: store,
  revokeStoreToken: { 404: ['store_not_found', 'edge_token_not_found'] },
  listStorePhotos: { ...edge, 400: ['store_id_required', 'invalid_cursor', 'invalid_time'], 410: ['cursor_expired', 'epoch_changed'] },
  getStorePhotosDigest: edge,
  reportStorePhotos: edge,
  downloadPhoto: {
    ...edge,
    404: ['store_not_found', 'photo_not_found', 'image_file_missing', 'image_file_damaged'],
    410: ['photo_deleted', 'not_in_assortment'],
    412: ['precondition_failed'],
    416: ['range_not_satisfiable'],
  },
  downloadPhotoArchive: { ...edge, 400: ['store_id_required', 'invalid_cursor'], 410: ['cursor_expired', 'epoch_changed'] },
  getStoreStatus: store,
  resyncStore: store,
  getPhotoStoreStatus: { 404: ['photo_not_found'] },

  createWebhook: { 400: ['webhook_url_blocked'] },
  getWebhook: webhook,
  changeWebhook: { ...webhook, 400: ['webhook_url_blocked'] },
  deleteWebhook: webhook,
  rotateWebhookSecret: webhook,
  testWebhook: { ...webhook, 409: ['webhook_disabled'] },
  listWebhookDeliveries: { ...webhook, ...cursor },
  getWebhookDelivery: { 404: ['webhook_not_found', 'webhook_delivery_not_found'] },
  retryWebhookDelivery: { 404: ['webhook_not_found', 'webhook_delivery_not_found'], 409: ['webhook_disabled'] },
  replayWebhook: {
    ...webhook,
    400: ['invalid_time', 'invalid_cursor'],
    409: ['webhook_disabled'],
    410: ['cursor_expired', 'epoch_changed'],
  },

  syncItems: {
    400: ['invalid_file_name', 'invalid_import_file', 'invalid_mappings'],
    404: ['import_file_not_found'],
    409: ['sync_running', 'integration_disabled'],
    413: ['import_file_too_large'],
    502: [...zoho[502], 'unknown_organization', 'pagination_loop'],
  },
  planItemSync: {
    400: ['invalid_file_name', 'invalid_import_file', 'invalid_mappings'],
    404: ['import_file_not_found'],
    409: ['sync_running', 'integration_disabled'],
    502: zoho[502],
  },
  listRuns: cursor,
  getRun: run,
  listRunRecords: run,
  exportRun: run,
  streamRunEvents: { ...run, 429: ['too_many_streams'] },
  cancelRun: { ...run, 409: ['run_finished'] },
  pauseRun: { ...run, 409: ['run_finished'] },
  resumeRun: { ...run, 409: ['run_not_paused'] },
  listFailures: cursor,
  retryFailures: { 409: ['nothing_to_retry', 'sync_running'] },
  retryFailedOfRun: { ...run, 409: ['nothing_to_retry', 'sync_running'] },

  startPull: { 400: ['invalid_time', 'no_such_module'], 409: ['sync_running'] },
  planPull: { 400: ['invalid_time', 'no_such_module'], ...zoho },
  comparePullSessions: session,
  comparePulledRecord: session,
  getPullSession: session,
  changePullSession: session,
  deletePullSession: { ...session, 409: ['session_pinned', 'session_in_use'] },
  downloadPullSession: session,
  verifyPullSession: { ...session, 409: ['sync_running'] },
  getVerificationReport: { 404: ['session_not_found', 'not_verified'] },
  repairPullSession: { ...session, 409: ['sync_running'] },
  listRecords: { 400: ['invalid_cursor', 'invalid_time'], 404: ['module_not_found'] },
  listBooksRecords: { 400: ['invalid_cursor', 'invalid_time'], 404: ['module_not_found'] },
  exportRecords: { 404: ['module_not_found', 'no_data'] },

  changeZohoSettings: { 409: ['set_by_environment'] },
  getModule: { 404: ['module_not_found'] },
  changeModule: { 400: ['invalid_schedule', 'invalid_selection'], 404: ['module_not_found'] },
  moveModuleCursor: { 400: ['cursor_ahead'], 404: ['module_not_found'], 409: ['sync_running'] },
  syncModule: { 404: ['module_not_found'], 409: ['module_disabled', 'integration_disabled', 'sync_running'], 502: zoho[502] },
  previewSchedule: { 400: ['invalid_schedule'] },
  testConnection: { 502: [...zoho[502], 'invalid_client_secret', 'wrong_data_center', 'gcp_secrets_unavailable'] },
  authorize: { 409: ['set_by_environment'], 502: [...zoho[502], 'no_refresh_token'] },
  listOrganizations: zoho,
  setOrganization: { 404: ['organization_not_found'], 409: ['set_by_environment'], ...zoho },
  startConsent: { 502: ['not_set_up'] },
  createConsentLink: { 409: ['set_by_environment'] },
  followConsentLink: { 410: ['consent_link_expired'] },
  finishConsent: { 400: ['invalid_state', 'consent_denied'], 502: ['invalid_code', 'no_refresh_token'] },
  testZohoWebhook: { 409: ['no_webhook_secret'] },
  receiveZohoWebhook: { 400: ['bad_request'], 401: ['invalid_signature'] },
  listZohoCalls: cursor,
  changeNotifications: { 400: ['invalid_address', 'webhook_url_blocked'], 409: ['set_by_environment'] },
  listAuditEntries: { 400: ['invalid_cursor', 'invalid_time'] },
}
