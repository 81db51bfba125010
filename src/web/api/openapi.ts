/**
 * The description of the API (OpenAPI 3.1), made of the same tables and schemas that serve it: where a
 * field is said to be so, it is checked to be so.
 */
import { z } from 'zod'
import { SCOPES } from '../../access/scopes.js'
import type { Operation } from '../../provisioning/operations.js'
import { answerSchema } from './answers.js'
import { FILE_ROUTES } from './file-routes.js'
import { isList, isPaged } from './paging.js'
import { PERMISSIONS, type ServedName } from './permissions.js'
import { ANSWERS_VERSION, CREATES, SERVED, SERVED_NAMES } from './routes.js'
import { SUMMARIES } from './summaries.js'

type Json = Readonly<Record<string, unknown>>

/** What a request does not say itself, or says in other places; of what is asked, the actor is a filter. */
const NOT_ASKED = ['if_match', 'after']

const TAGS: Readonly<Record<string, string>> = {
  accounts: 'Accounts',
  money: 'Accounts',
  cards: 'Calling cards',
  rates: 'Plans and rates',
  calls: 'Calls',
  sip: 'SIP accounts',
  switches: 'Switches',
  audit: 'Audit',
  users: 'Users and tokens',
}

const PROBLEM = { $ref: '#/components/schemas/Problem' }

/** @param version that of Tollgate */
export function openApi(version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  const add = (method: string, path: string, described: Json) => {
    const at = pathOf(path)
    paths[at] = { ...paths[at], [method.toLowerCase()]: described }
  }
  for (const name of SERVED_NAMES) add(SERVED[name].method, SERVED[name].path, described(name))
  for (const { method, path, ...described } of FILE_ROUTES) add(method, path, described)
  return {
    openapi: '3.1.0',
    info: { title: 'Tollgate', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(Object.values(TAGS))].map(name => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: `Scopes: ${SCOPES.join(', ')}` },
      },
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  }
}

const DESCRIPTION = `Amounts are decimal strings, times ISO 8601 in UTC. Lists answer \`{items, next}\`: \`next\` is
the address of the next page, null after the last. Errors are problem+json with a stable \`code\`.
A POST with an Idempotency-Key is done once, and answered alike for a day. An answer with an ETag can
be edited with If-Match: a 412 says that somebody else was faster.`

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['title', 'status', 'code', 'detail'],
  properties: {
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable, for programs', example: 'unknown_account' },
    detail: { type: 'string', description: 'One sentence, for people' },
  },
}

function described(name: ServedName): Json {
  const operation = SERVED[name]
  const { scope, fields } = PERMISSIONS[name]
  const input = inputSchema(operation)
  const inBody = operation.method === 'POST' || operation.method === 'PATCH'
  const isBody = (field: string) => inBody && !paramsOf(operation.path).includes(field)
  const more = Object.entries(fields ?? {}).map(([field, more]) => `\`${field}\` needs ${more}.`)
  return {
    operationId: name,
    tags: [TAGS[scope.split(':')[0]!]],
    summary: SUMMARIES[name],
    description: [`Needs the scope ${scope}.`, ...more].join(' '),
    'x-scope': scope,
    parameters: [
      ...Object.entries(input.properties)
        .filter(([field]) => !isBody(field))
        .map(([field, schema]) => parameter(field, schema, operation, input.required)),
      ...headers(name, operation),
    ],
    ...(inBody && { requestBody: requestBody(input, isBody) }),
    responses: responses(name),
  }
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, Json>>
  readonly required: readonly string[]
}

function inputSchema({ input, method }: Operation): ObjectSchema {
  const left = method === 'GET' ? NOT_ASKED : [...NOT_ASKED, 'actor']
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  const { properties = {}, required = [] } = schema as Partial<ObjectSchema>
  const kept = Object.entries(properties).filter(([field]) => !left.includes(field))
  return { properties: Object.fromEntries(kept), required }
}

function parameter(
  name: string,
  schema: Json,
  { path }: Operation,
  required: readonly string[],
): Json {
  const isPath = paramsOf(path).includes(name)
  const { description, example, ...rest } = schema
  return {
    name,
    in: isPath ? 'path' : 'query',
    required: isPath || required.includes(name),
    ...(description !== undefined && { description }),
    ...(example !== undefined && { example }),
    schema: rest,
  }
}

function headers(name: ServedName, { method, input }: Operation): Json[] {
  const text = { type: 'string' }
  const found: Json[] = []
  if (isPaged(name)) found.push({ name: 'cursor', in: 'query', schema: text })
  if (isPaged(name) && !hasField(input, 'limit')) {
    const schema = { type: 'integer', minimum: 1, maximum: 500 }
    found.push({ name: 'limit', in: 'query', schema })
  }
  if (method === 'POST') found.push({ name: 'Idempotency-Key', in: 'header', schema: text })
  if (hasField(input, 'if_match')) found.push({ name: 'If-Match', in: 'header', schema: text })
  return found
}

function requestBody(
  { properties, required }: ObjectSchema,
  isBody: (field: string) => boolean,
): Json {
  const fields = Object.entries(properties).filter(([field]) => isBody(field))
  const needed = required.filter(field => isBody(field) && field in properties)
  return {
    required: needed.length > 0,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: Object.fromEntries(fields),
          ...(needed.length > 0 && { required: needed }),
          additionalProperties: false,
        },
      },
    },
  }
}

function responses(name: ServedName): Json {
  const schema = answerSchema(name, isList(name))
  const etag = { ETag: { schema: { type: 'string' } } }
  const ok = {
    description: SUMMARIES[name],
    ...(ANSWERS_VERSION.includes(name) && { headers: etag }),
    content: { 'application/json': { schema } },
  }
  return { [CREATES.includes(name) ? '201' : '200']: ok, default: PROBLEM_ANSWER }
}

const PROBLEM_ANSWER = {
  description: 'Why not',
  content: { 'application/problem+json': { schema: PROBLEM } },
}

const hasField = (input: z.ZodType, field: string) =>
  'shape' in input && field in (input.shape as object)

const paramsOf = (path: string) => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)

/** `/accounts/{code}` */
const pathOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}')
