/** A route for every operation: who may, a page of it, in which state, and the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.js'
import { BookError } from '../../ledger/books.js'
import { versionOf } from '../../provisioning/edit-version.js'
import { LOCAL_OPERATIONS } from '../../provisioning/local-operations.js'
import { OPERATIONS, type Operation } from '../../provisioning/operations.js'
import type { Services, WebParts } from '../parts.js'
import { principalOf } from '../principals.js'
import { Refusal } from '../refusal.js'
import { ownView } from './own-view.js'
import { isPaged, paged } from './paging.js'
import { allowed, demandAll, givenAway, PERMISSIONS, type ServedName } from './permissions.js'

export const SERVED: Readonly<Record<ServedName, Operation>> = withoutReload()

export const SERVED_NAMES = Object.keys(SERVED) as ServedName[]

/** What is filled in here, and is not for the request to say. */
const OURS = ['actor', 'if_match']

/** Answers with one thing and its version, which an edit may name. */
export const ANSWERS_VERSION: readonly string[] = [
  ...['accountShow', 'accountSet', 'sipAccountShow', 'sipAccountSet'],
  ...['planShow', 'planSet', 'userShow', 'userSet', 'rateSet'],
]

type Input = Readonly<Record<string, unknown>>
type Run = (input: Input) => Promise<unknown>

export function operationRoutes(app: FastifyInstance, parts: WebParts): void {
  for (const name of SERVED_NAMES) {
    const { method, path } = SERVED[name]
    app.route({
      method,
      url: path.replace(/^\/api/, ''),
      handler: (request, reply) => perform(name, request, reply, parts),
    })
  }
}

async function perform(
  name: ServedName,
  request: FastifyRequest,
  reply: FastifyReply,
  { services }: WebParts,
) {
  const principal = principalOf(request)
  const input = await permitted(name, principal, inputOf(request), services)
  const run = runOf(name, services)
  if (isPaged(name)) return sendPage(name, request, reply, principal, input, run)
  const { method } = SERVED[name]
  const by = takesActor(name) ? { actor: principal.actor } : {}
  const answer = (await run({ ...input, ...by, ...versionAsked(name, request) })) as object
  if (ANSWERS_VERSION.includes(name)) reply.header('etag', `"${versionOf(answer)}"`)
  if (method === 'POST' && CREATES.includes(name)) reply.code(201)
  return reply.send(principal.account === null ? answer : ownView(answer))
}

async function sendPage(
  name: ServedName,
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal,
  input: Input,
  run: Run,
) {
  const { input: asked, page } = paged(name, request.url, input)
  const answer = page((await run(asked)) as never)
  if (answer.next !== null) reply.header('link', `<${answer.next}>; rel="next"`)
  return reply.send(principal.account === null ? answer : ownView(answer))
}

/** The input as the principal may have it done. @throws Refusal forbidden */
export async function permitted(
  name: ServedName,
  principal: Principal,
  input: Input,
  services: Services,
) {
  const asked = allowed(principal, PERMISSIONS[name], input)
  const known = GIVING_TO.includes(name) ? await existingRole(services, asked['name']) : null
  demandAll(principal, givenAway(name, asked, known))
  return asked
}

const GIVING_TO: readonly ServedName[] = ['userSet', 'userDelete', 'userPasswordLink']

/** Null where there is no such user: the operation will say so. */
async function existingRole({ users }: Services, name: unknown) {
  try {
    return (await users.show({ name })).role
  } catch (error) {
    if (error instanceof BookError) return null
    throw error
  }
}

export const CREATES: readonly ServedName[] = [
  'accountCreate',
  'topUp',
  'adjust',
  'refund',
  'sipAccountCreate',
  'planCreate',
  'rateAdd',
  'userCreate',
  'tokenCreate',
]

/** Everything that changes something is done by somebody, and so is nothing that only asks. */
export function takesActor(name: ServedName): boolean {
  const { input, method } = SERVED[name]
  return method !== 'GET' && 'shape' in input && 'actor' in (input.shape as object)
}

/** @throws BookError bad_input for what is not the request's to say */
function inputOf({ method, query, body, params }: FastifyRequest): Input {
  const input = { ...(query as object), ...fieldsOf(body), ...(params as object) }
  // To ask for what somebody else did is no claim to be him.
  if (method === 'GET') return input
  const [ours] = OURS.filter(name => name in input)
  if (ours === undefined) return input
  throw new BookError('bad_input', `${ours} is not a known field`)
}

/** A body that is no object has no fields; the check of the input says what is missing. */
function fieldsOf(body: unknown): Input {
  const isFields = typeof body === 'object' && body !== null && !Array.isArray(body)
  return isFields ? (body as Input) : {}
}

/** The versions of If-Match. @throws Refusal where this is no edit of one thing, or they are not versions */
function versionAsked(name: ServedName, { headers }: FastifyRequest): Input {
  const asked = headers['if-match']
  if (asked === undefined || asked.trim() === '*') return {}
  const { shape } = SERVED[name].input as unknown as { shape?: object }
  const versions = asked.split(',').map(tag => /^\s*"([\w-]{1,100})"\s*$/.exec(tag)?.[1])
  if (!shape || !('if_match' in shape)) {
    throw new Refusal(400, 'bad_request', 'If-Match has no meaning here')
  }
  // A weak tag, or somebody else's, is no version of ours: so none of them is the one there is.
  return { if_match: versions.map(version => version ?? '-').join(',') }
}

export function runOf(name: ServedName, { ledger, local }: Services): Run {
  return (name in LOCAL_OPERATIONS ? local : ledger)[name as never] as Run
}

function withoutReload() {
  const { ratesReload: _, ...served } = OPERATIONS
  return { ...served, ...LOCAL_OPERATIONS }
}
