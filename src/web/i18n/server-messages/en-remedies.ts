/** What to do next on the page, for failures whose own remedy names an address of the API: that is for scripts. */
const PAGE_REMEDIES: Record<string, string> = {
  scope_missing:
    'Connect again with every scope that is listed under Connection, and check the data centre. Testing the connection names the scope that is missing.',
  unknown_organization:
    'Choose the organisation under Connection, or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.',
  bad_request: 'Check what you entered; the line above names the field.',
  integration_disabled: 'Switch it on under Connection.',
  invalid_redirect_uri:
    'Register the redirect address that stands under Connection with your client in the Zoho API console, and check PUBLIC_URL.',
  invalid_scope: 'Use exactly the line of scopes that stands under Connection.',
  mass_delete_stopped: 'Check the items in Zoho. If it is right, plan the removal and confirm it.',
  method_not_allowed: 'Reload the page; zinc may have been updated.',
  module_disabled: 'Switch it on under Modules, then sync.',
  not_found: 'Go back to where you came from.',
  not_set_up: 'Enter what is missing under Credentials on the Connection page, or set it in the environment.',
  untested: 'Test the connection; the first sync does it too.',
  not_verified: 'Check it first.',
  no_data: 'Start a pull first.',
  nothing_to_retry: 'Follow what stands beside each cause.',
  organization_not_found: 'Choose one of the list under Connection.',
  owned_by_zoho: 'Change it in Zoho, or give the field to the ERP in the mapping under Modules.',
  photo_not_found: 'Reload the page; somebody may have deleted it.',
  product_not_found: 'Go back to the products and look for it by its name or SKU.',
  run_not_found: 'Go back to the runs and open it there.',
  session_in_use: 'Wait until its run has ended, or cancel that first.',
  session_not_found: 'Go back to the pulls; it may have been deleted.',
  second_factor_setup_required: 'Open the account page and set it up.',
  store_not_found: 'Go back to the stores; it may have been deleted.',
  sync_running: 'Wait for it, or open it and cancel it.',
  totp_enabled: 'Reload the page; it may have been set up in another window.',
  totp_not_begun: 'Begin again.',
  test_timeout: 'Other calls to Zoho are under way, or Zoho is slow. Try again in a while.',
  unsupported_media_type: 'Reload the page; zinc may have been updated.',
  user_not_found: 'Reload the page; somebody may have removed them.',
  wrong_data_center: 'Choose the right data centre under Connection and save.',
}

const FOR_SCRIPTS = /\b(?:GET|POST|PUT|PATCH|DELETE) \/|confirm_removals/

/** A remedy of the server as it helps a person on the page. */
export const pageRemedy = (code: string | null | undefined, remedy: string): string =>
  (FOR_SCRIPTS.test(remedy) && PAGE_REMEDIES[code ?? '']) || remedy
