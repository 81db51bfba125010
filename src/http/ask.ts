/** Asks a running daemon for one operation. */
import { request } from 'node:http'
import type { Operation } from '../provisioning/operations.js'
import { ApiError } from './api-error.js'
import { errorOf, type Problem } from './problem.js'

/** A daemon with its hands full answers in milliseconds; only an audit of all books takes longer. */
const ANSWER_TIMEOUT_MS = 60_000

/** Puts the fields where the server looks for them, and reads its answer. */
export async function ask(path: string, operation: Operation, input: Record<string, unknown>) {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  let target = operation.path.replace(/:(\w+)/g, (_, field: string) => {
    const value = encodeURIComponent(String(rest.get(field)))
    rest.delete(field)
    return value
  })
  const fields = Object.fromEntries(rest)
  const inQuery = operation.method === 'GET'
  if (inQuery) target += `?${new URLSearchParams(fields as Record<string, string>)}`
  const answer = await send(path, operation.method, target, inQuery ? '' : JSON.stringify(fields))
  const content = readJson(answer.text)
  if (answer.status < 400) return content
  throw errorOf(content as Problem)
}

interface Answer {
  readonly status: number
  readonly text: string
}

function send(path: string, method: string, target: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new ApiError('gone', 'The daemon went away before it had answered'))
    // Of a DELETE, Node does not tell the length by itself.
    const length = { 'content-length': Buffer.byteLength(body) }
    const headers = body === '' ? {} : { 'content-type': 'application/json', ...length }
    const asked = request(
      { socketPath: path, method, path: target, headers, agent: false, timeout: ANSWER_TIMEOUT_MS },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', gone)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 500, text: Buffer.concat(chunks).toString() })
        })
      },
    )
    asked.on('timeout', () => {
      reject(new ApiError('timeout', 'The daemon is there, but does not answer'))
      asked.destroy()
    })
    asked.on('error', gone)
    asked.end(body)
  })
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError('unexpected', 'The daemon answered what is not JSON')
  }
}
