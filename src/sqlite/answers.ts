/** What was answered under an Idempotency-Key. */
import type { Answers, KnownAnswer } from '../access/access.js'
import type { Statement } from './database.js'
import type { WebFile } from './web-file.js'

interface AnswerRow {
  readonly request: string
  readonly status: bigint | null
  readonly body: string
}

export class SqliteAnswers implements Answers {
  readonly #file: WebFile
  readonly #byKey: Statement<[string, string], AnswerRow>
  readonly #take: Statement<[object]>
  readonly #give: Statement<[object]>
  readonly #release: Statement<[string, string]>

  constructor(file: WebFile) {
    const { database } = file
    this.#file = file
    this.#byKey = database.prepare(
      'SELECT request, status, body FROM answer WHERE principal = ? AND key = ?',
    )
    this.#take = database.prepare(`INSERT INTO answer (principal, key, request, status, body, at)
      VALUES (@principal, @key, @request, NULL, '', @now)`)
    this.#give = database.prepare(`UPDATE answer SET status = @status, body = @body, at = @now
      WHERE principal = @principal AND key = @key`)
    this.#release = database.prepare('DELETE FROM answer WHERE principal = ? AND key = ?')
  }

  take(principal: string, key: string, request: string): Promise<KnownAnswer | undefined> {
    return this.#file.committer.enqueue(() => {
      const known = this.#byKey.get(principal, key)
      if (known) {
        const { status } = known
        return { ...known, status: status === null ? null : Number(status) }
      }
      this.#take.run({ principal, key, request, now: this.#file.now() })
      return undefined
    })
  }

  async give(principal: string, key: string, status: number, body: string): Promise<void> {
    const now = this.#file.now()
    await this.#file.committer.enqueue(() => this.#give.run({ principal, key, status, body, now }))
  }

  async release(principal: string, key: string): Promise<void> {
    await this.#file.committer.enqueue(() => this.#release.run(principal, key))
  }
}
