import { z } from 'zod'
import type { ZohoClient } from './client.ts'
import { ConfigurationError, ZohoNotFoundError, ZohoRequestError } from './errors.ts'

/** The CRM modules that zinc keeps, by their names in URLs. */
export const CRM_MODULES = ['Contacts', 'Accounts', 'Leads', 'Products', 'Deals'] as const
export type CrmModule = (typeof CRM_MODULES)[number]

export const CRM_JOB = 'crm'
/** Zoho's limit of fields in one list call. */
const FIELDS_PER_CALL = 50
/** Field types that a list cannot return; requesting one makes the whole call fail. */
const NOT_LISTED = new Set([
  'subform',
  'multiselectlookup',
  'multiuserlookup',
  'fileupload',
  'imageupload',
  'profileimage',
  'rollup_summary_list',
])

/** Fields that every CRM has, for accounts that may not read the field definitions. */
const STANDARD_FIELDS: Record<CrmModule, string[]> = {
  Contacts: [
    'First_Name',
    'Last_Name',
    'Full_Name',
    'Email',
    'Secondary_Email',
    'Phone',
    'Mobile',
    'Account_Name',
    'Title',
    'Department',
    'Lead_Source',
    'Mailing_Street',
    'Mailing_City',
    'Mailing_State',
    'Mailing_Zip',
    'Mailing_Country',
    'Description',
  ],
  Accounts: [
    'Account_Name',
    'Account_Number',
    'Account_Type',
    'Industry',
    'Phone',
    'Website',
    'Parent_Account',
    'Annual_Revenue',
    'Employees',
    'Billing_Street',
    'Billing_City',
    'Billing_State',
    'Billing_Code',
    'Billing_Country',
    'Description',
  ],
  Leads: [
    'First_Name',
    'Last_Name',
    'Full_Name',
    'Company',
    'Email',
    'Phone',
    'Mobile',
    'Lead_Source',
    'Lead_Status',
    'Industry',
    'Website',
    'Street',
    'City',
    'State',
    'Zip_Code',
    'Country',
    'Description',
  ],
  Products: [
    'Product_Name',
    'Product_Code',
    'Product_Category',
    'Product_Active',
    'Manufacturer',
    'Vendor_Name',
    'Unit_Price',
    'Usage_Unit',
    'Qty_in_Stock',
    'Qty_in_Demand',
    'Reorder_Level',
    'Taxable',
    'Description',
  ],
  Deals: [
    'Deal_Name',
    'Account_Name',
    'Contact_Name',
    'Amount',
    'Stage',
    'Probability',
    'Closing_Date',
    'Type',
    'Lead_Source',
    'Next_Step',
    'Description',
  ],
}
/** Zoho CRM's code for a module that the organization hides, renamed or does not have. */
export const INVALID_MODULE = 'INVALID_MODULE'
/** Requested with every record: they give the order of the list and the owner. */
export const LISTED_ALWAYS = ['Modified_Time', 'Created_Time', 'Owner']

/**
 * Returns the fields of a module that a list can return, in groups small enough for one call.
 * Without the scope to read field definitions: the standard fields.
 */
export async function crmFields(
  client: ZohoClient,
  module: CrmModule,
  { runId }: { runId?: string | undefined },
  signal: AbortSignal,
): Promise<string[][]> {
  const names = await fieldNames(client, module, { runId }, signal)
  const more = [...new Set(names)].filter((name) => name !== 'id' && !LISTED_ALWAYS.includes(name))
  const groups = [[...LISTED_ALWAYS, ...more.slice(0, FIELDS_PER_CALL - LISTED_ALWAYS.length)]]
  for (let at = FIELDS_PER_CALL - LISTED_ALWAYS.length; at < more.length; at += FIELDS_PER_CALL)
    groups.push(more.slice(at, at + FIELDS_PER_CALL))
  return groups
}

async function fieldNames(
  client: ZohoClient,
  module: CrmModule,
  { runId }: { runId?: string | undefined },
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const { body } = await client.json(
      { path: '/crm/v8/settings/fields', query: { module }, job: CRM_JOB, organization: false, runId },
      signal,
    )
    const fields = z
      .array(z.looseObject({ api_name: z.string(), data_type: z.string().optional() }))
      .catch([])
      .parse(body.fields)
    const names = fields.filter((it) => !NOT_LISTED.has(it.data_type ?? '')).map((it) => it.api_name)
    return names.length > 0 ? names : STANDARD_FIELDS[module]
  } catch (error) {
    const lacksRight = error instanceof ConfigurationError && error.code === 'scope_missing'
    if (lacksRight || error instanceof ZohoNotFoundError || error instanceof ZohoRequestError) return STANDARD_FIELDS[module]
    throw error
  }
}
