/**
 * Imports a deck in two steps, by the API: it is sent for a dry run, whose result is shown; what is
 * confirmed is then applied, without being sent again.
 */

/**
 * @typedef {{ per_minute: string, blocked: boolean } | null} Rate
 * @typedef {{ prefix: string, description: string, period: string, before: Rate, after: Rate,
 *   difference: string | null, percent: string | null }} Change
 * @typedef {{ added: number, removed: number, dearer: number, cheaper: number, otherwise: number,
 *   same: number, rates: number, largest: Change[] }} Result
 * @typedef {{ id: string, plan: string, state: string, dry_run: boolean, bytes: number,
 *   read_bytes: number, result: Result | null, problem: { detail: string } | null,
 *   bad_line_count: number, bad_lines: { line: number, text: string, reason: string }[] }} Job
 */

/** Rows that are shown: more of them nobody reads. */
const ROWS_MAX = 200

const csrf = document.querySelector('meta[name=csrf]')?.getAttribute('content') ?? ''

const find = (/** @type {string} */ name) =>
  /** @type {HTMLElement} */ (document.querySelector(`[data-deck-${name}]`))

const page = /** @type {HTMLElement} */ (document.querySelector('[data-deck]'))
const terms = /** @type {HTMLFormElement} */ (find('terms'))
const drop = find('drop')
const file = /** @type {HTMLInputElement} */ (find('file'))
const bar = /** @type {HTMLProgressElement} */ (page.querySelector('progress'))
let importId = ''

terms.addEventListener('submit', event => event.preventDefault())
file.addEventListener('change', () => {
  const [chosen] = file.files ?? []
  if (chosen) send(chosen)
})
for (const name of ['dragenter', 'dragover']) {
  drop.addEventListener(name, event => {
    event.preventDefault()
    drop.classList.add('over')
  })
}
for (const name of ['dragleave', 'drop']) {
  drop.addEventListener(name, () => drop.classList.remove('over'))
}
drop.addEventListener('drop', event => {
  event.preventDefault()
  const [dropped] = /** @type {DragEvent} */ (event).dataTransfer?.files ?? []
  if (dropped) send(dropped)
})
find('apply').addEventListener('click', () => void apply())
find('forget').addEventListener('click', clear)

/** Nothing of an earlier deck is left to be seen. */
function clear() {
  for (const name of ['progress', 'problem', 'bad', 'result']) find(name).hidden = true
  file.value = ''
  importId = ''
}

function progress(/** @type {string} */ sentence, /** @type {number | null} */ part) {
  find('progress').hidden = false
  find('says').textContent = sentence
  if (part === null) bar.removeAttribute('value')
  else bar.value = part
}

function failed(/** @type {string} */ sentence) {
  find('progress').hidden = true
  find('problem').hidden = false
  find('problem').textContent = sentence
}

/** With the name of the file, for the audit. */
function query(/** @type {File} */ deck) {
  const asked = new URLSearchParams({ dry_run: 'true', source: deck.name })
  for (const [name, value] of new FormData(terms)) {
    if (value !== '') asked.set(name, value === 'yes' ? 'true' : String(value))
  }
  return asked
}

/** Not by fetch, which does not tell how much has been sent. */
function send(/** @type {File} */ deck) {
  clear()
  const request = new XMLHttpRequest()
  const path = `/api/v1/plans/${encodeURIComponent(page.dataset['deck'] ?? '')}/imports`
  request.open('POST', `${path}?${query(deck)}`)
  request.setRequestHeader('content-type', 'text/csv')
  request.setRequestHeader('x-csrf-token', csrf)
  request.responseType = 'json'
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    progress(`Sending ${deck.name}…`, total === 0 ? null : loaded / total)
  })
  request.addEventListener('load', () => {
    if (request.status === 202) watch(request.response)
    else failed(request.response?.detail ?? 'The deck was not taken')
  })
  request.addEventListener('error', () => failed('The deck could not be sent: try again'))
  progress(`Sending ${deck.name}…`, null)
  request.send(deck)
}

/** Follows the import until it is over. */
function watch(/** @type {Job} */ begun) {
  importId = begun.id
  const events = new EventSource(`/api/v1/imports/${begun.id}/events`)
  events.addEventListener('import', event => {
    const job = /** @type {Job} */ (JSON.parse(event.data))
    const part = job.bytes === 0 ? null : job.read_bytes / job.bytes
    progress(`${job.dry_run ? 'Reading' : 'Importing'}… ${Math.floor((part ?? 0) * 100)} %`, part)
    if (job.state !== 'done' && job.state !== 'failed') return
    events.close()
    over(job)
  })
}

function over(/** @type {Job} */ job) {
  find('progress').hidden = true
  showBadLines(job)
  if (!job.result) return failed(job.problem?.detail ?? 'The import has failed')
  showResult(job, job.result)
}

async function apply() {
  const id = importId
  find('result').hidden = true
  progress('Importing…', null)
  const answer = await fetch(`/api/v1/imports/${id}/apply`, {
    method: 'POST',
    headers: { 'x-csrf-token': csrf },
  }).catch(() => null)
  const said = await answer?.json().catch(() => null)
  if (!answer?.ok) return failed(said?.detail ?? 'It could not be imported: try again')
  watch(said)
}

function showBadLines(/** @type {Job} */ { bad_line_count, bad_lines }) {
  const place = find('bad')
  place.hidden = bad_line_count === 0
  fill(place, bad_lines.slice(0, ROWS_MAX))
}

function showResult(/** @type {Job} */ job, /** @type {Result} */ result) {
  const place = find('result')
  place.hidden = false
  find('confirm').hidden = !job.dry_run
  find('title').textContent = job.dry_run
    ? `What ${result.rates} rates would change`
    : `Imported: ${result.rates} rates`
  for (const count of place.querySelectorAll('[data-deck-count]')) {
    const name = /** @type {keyof Result} */ (count.getAttribute('data-deck-count'))
    count.textContent = String(result[name])
  }
  fill(place, result.largest.slice(0, ROWS_MAX).map(rowOf))
  if (job.dry_run) find('apply').focus()
}

function rowOf(/** @type {Change} */ { prefix, description, period, before, after, ...change }) {
  const { difference, percent } = change
  const sign = difference?.startsWith('-') ? '' : '+'
  const what = before === null ? 'new' : after === null ? 'gone' : sign ? 'dearer' : 'cheaper'
  const shown = difference === null ? '' : `${sign}${short(difference)}`
  return {
    prefix: prefix || 'any',
    description: period ? `${description} (${period})` : description,
    what: difference !== null && /^-?[0.]+$/.test(difference) ? 'otherwise' : what,
    before: price(before),
    after: price(after),
    difference: percent === null ? shown : `${shown} (${percent} %)`,
  }
}

const price = (/** @type {Rate} */ rate) =>
  rate === null ? '' : rate.blocked ? 'blocked' : short(rate.per_minute)

/** A decimal string, without the zeros that say nothing. */
const short = (/** @type {string} */ amount) => amount.replace(/0{1,4}$/, '')

/** A row for each, made of the pattern beside the table. */
function fill(
  /** @type {HTMLElement} */ place,
  /** @type {readonly Record<string, string | number>[]} */ rows,
) {
  const body = /** @type {HTMLElement} */ (place.querySelector('tbody'))
  const pattern = /** @type {HTMLTemplateElement} */ (place.querySelector('template'))
  body.replaceChildren(
    ...rows.map(row => {
      const made = /** @type {DocumentFragment} */ (pattern.content.cloneNode(true))
      for (const cell of made.querySelectorAll('[data-cell]')) {
        cell.textContent = String(row[cell.getAttribute('data-cell') ?? ''] ?? '')
      }
      return made
    }),
  )
}
