/** What is described by hand: answers that are files or streams, and decks that are uploaded. */

const PROBLEM = {
  description: 'Why not',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const text = { type: 'string' }
const choice = { type: 'boolean' }

const inPath = (name: string) => ({ name, in: 'path', required: true, schema: text })
const inQuery = (name: string, description: string, schema: object = text) => ({
  ...{ name, in: 'query', description, schema },
})

const answers = (status: string, description: string, type: string, schema: object = text) => ({
  [status]: { description, content: { [type]: { schema } } },
  default: PROBLEM,
})

const IMPORT_JOB = {
  type: 'object',
  properties: {
    id: text,
    plan: text,
    state: { type: 'string', enum: ['waiting', 'running', 'done', 'failed'] },
    dry_run: choice,
    bytes: { type: 'integer' },
    read_bytes: { type: 'integer' },
    created_at: text,
    result: { type: ['object', 'null'], description: 'What it changes, or would change' },
    problem: { type: ['object', 'null'], description: 'Why it failed' },
    bad_line_count: { type: 'integer' },
    bad_lines: { type: 'array', items: { type: 'object' } },
  },
}

const CDR_FILTERS = [
  inQuery('account', 'Calls of this account'),
  inQuery('outcome', 'completed, unanswered, refused or cut_off'),
  inQuery('reason', 'Calls that were refused or ended for this'),
  inQuery('from', 'Calls that ended at this time or later'),
  inQuery('to', 'Calls that ended before this time'),
  inQuery('write_off', 'true: only calls that outlived their hold'),
]

const JOB = 'application/json'

export const FILE_ROUTES = [
  {
    ...{ method: 'GET', path: '/api/v1/openapi.json', operationId: 'openApi', tags: ['Audit'] },
    summary: 'This description',
    security: [],
    responses: answers('200', 'OpenAPI 3.1', 'application/json', { type: 'object' }),
  },
  {
    ...{ method: 'GET', path: '/api/v1/cdrs.csv', operationId: 'cdrCsv', tags: ['Calls'] },
    summary: 'Ended calls as CSV, all of them',
    description: 'Needs the scope calls:read.',
    parameters: CDR_FILTERS,
    responses: answers('200', 'A file', 'text/csv'),
  },
  {
    ...{ method: 'GET', path: '/api/v1/calls/events', operationId: 'callEvents', tags: ['Calls'] },
    summary: 'Live calls as server-sent events',
    description:
      'Needs the scope calls:read. `calls` has what has changed in `calls`, at first all there are, and the ids of those that are gone in `ended`; `stale` says that the daemon does not answer at the moment.',
    parameters: [
      inQuery('account', 'Only its calls'),
      inQuery('changes', 'Of calls that were told before, only the fields that have changed', {
        enum: ['fields'],
      }),
    ],
    responses: answers('200', 'Events, until somebody ends them', 'text/event-stream'),
  },
  {
    ...{ method: 'POST', path: '/api/v1/plans/:plan/imports', operationId: 'importCreate' },
    tags: ['Plans and rates'],
    summary: 'Upload a deck: a dry run, or an import of all of it or nothing',
    description: 'Needs the scope rates:write. At most 200 MB. The answer is a job to be watched.',
    parameters: [
      inPath('plan'),
      inQuery('dry_run', 'Change nothing, and tell what would change', choice),
      inQuery('mode', 'replace, or merge, where rates that are not in the deck stay'),
      inQuery('effective', 'When rates begin whose line does not say'),
      inQuery('map', 'What columns are, like "Dial Code=prefix,Our Price=per_minute"'),
      inQuery('date_format', 'dd/mm/yyyy or mm/dd/yyyy, where dates are not ISO'),
      inQuery('decimal_comma', 'Prices are written like 0,05', choice),
      inQuery('skip_bad', 'Import the good lines of a deck that has bad ones', choice),
      inQuery('source', 'The name of the file, for the audit'),
    ],
    requestBody: { required: true, content: { 'text/csv': { schema: text } } },
    responses: answers('202', 'A job', JOB, IMPORT_JOB),
  },
  {
    ...{ method: 'GET', path: '/api/v1/imports/:id', operationId: 'importShow' },
    tags: ['Plans and rates'],
    summary: 'How an import goes, or went',
    description: 'Needs the scope rates:write. Imports are forgotten after an hour.',
    parameters: [inPath('id')],
    responses: answers('200', 'The job', JOB, IMPORT_JOB),
  },
  {
    ...{ method: 'GET', path: '/api/v1/imports/:id/events', operationId: 'importEvents' },
    tags: ['Plans and rates'],
    summary: 'How an import goes, as server-sent events, until it is over',
    description: 'Needs the scope rates:write. Each event `import` has the job.',
    parameters: [inPath('id')],
    responses: answers('200', 'Events', 'text/event-stream'),
  },
  {
    ...{ method: 'POST', path: '/api/v1/imports/:id/apply', operationId: 'importApply' },
    tags: ['Plans and rates'],
    summary: 'Import what a dry run has shown, as long as the plan is what it was',
    description: 'Needs the scope rates:write.',
    parameters: [inPath('id')],
    responses: answers('202', 'The job', JOB, IMPORT_JOB),
  },
  {
    ...{ method: 'GET', path: '/api/v1/plans/:plan/deck.csv', operationId: 'deckExport' },
    tags: ['Plans and rates'],
    summary: 'The rates of a plan as a deck that an import reads back',
    description: 'Needs the scope rates:read.',
    parameters: [inPath('plan')],
    responses: answers('200', 'A file', 'text/csv'),
  },
]
