/**
 * Live calls, as they change. Each second the server tells what has changed of which calls; their cells are
 * written, and only those whose text is another; the seconds and the costs of rows that nobody sees
 * wait until they are seen. Nothing is drawn anew, so a thousand calls are as calm as ten.
 */
import { confirmed } from './portal.js'

/**
 * @typedef {{ call_id: string, account: string, number: string, switch: string, state: string,
 *   seconds: number | null, cost: string | null, held: string, funded_until: string | null,
 *   final: boolean | null }} LiveCall
 * @typedef {{ row: HTMLElement, cells: Map<string, HTMLElement>, call: LiveCall, isSeen: boolean }} Shown
 */

const TONES = { answered: 'good', final: 'bad', ending: 'warn' }

/** `1:02:03`, as on a telephone. */
function talk(/** @type {number} */ seconds) {
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0')
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

function clock(/** @type {string} */ instant) {
  return new Date(instant).toLocaleTimeString('en-GB')
}

class LiveTable {
  /** @type {Map<string, Shown>} */
  #shown = new Map()
  /** @type {Set<string>} */
  #ending = new Set()
  #wanted = ''
  #seen = new IntersectionObserver(changes => this.#scrolled(changes), { rootMargin: '200px' })

  constructor(/** @type {HTMLElement} */ region) {
    this.region = region
    this.account = region.dataset['live'] ?? ''
    this.table = /** @type {HTMLTableElement} */ (region.querySelector('table'))
    this.body = /** @type {HTMLElement} */ (region.querySelector('tbody'))
    this.empty = /** @type {HTMLElement} */ (region.querySelector('[data-live-empty]'))
    const template = /** @type {HTMLTemplateElement} */ (region.querySelector('template'))
    this.pattern = /** @type {HTMLElement} */ (template.content.querySelector('tr'))
    this.body.addEventListener('click', event => this.#clicked(event))
  }

  /** Shows only calls whose number or account contains this. */
  want(/** @type {string} */ text) {
    this.#wanted = text.trim().toLowerCase()
    for (const shown of this.#shown.values()) this.#showOrHide(shown)
  }

  /** All that there are, after a connection was made anew. */
  keepOnly(/** @type {readonly LiveCall[]} */ calls) {
    const ids = new Set(calls.map(call => call.call_id))
    this.remove([...this.#shown.keys()].filter(id => !ids.has(id)))
  }

  /** Calls that are not shown yet come whole, the others with what has changed. */
  update(/** @type {readonly LiveCall[]} */ changes) {
    const fresh = document.createDocumentFragment()
    for (const change of changes) {
      const known = this.#shown.get(change.call_id)
      const call = { ...known?.call, ...change }
      const shown = known ?? this.#add(call)
      if (!known) fresh.prepend(shown.row)
      this.#write(shown, call)
    }
    this.body.prepend(fresh)
    this.#count()
  }

  remove(/** @type {readonly string[]} */ ids) {
    for (const id of ids) {
      const row = this.#shown.get(id)?.row
      if (row) this.#seen.unobserve(row)
      row?.remove()
      this.#shown.delete(id)
      this.#ending.delete(id)
    }
    this.#count()
  }

  stale() {
    this.#say('The daemon does not answer: what is shown may be old')
  }

  /** @returns {Shown} */
  #add(/** @type {LiveCall} */ call) {
    const row = /** @type {HTMLElement} */ (this.pattern.cloneNode(true))
    row.dataset['call'] = call.call_id
    /** @type {Map<string, HTMLElement>} */
    const cells = new Map()
    for (const cell of row.children) {
      if (!(cell instanceof HTMLElement)) continue
      const name = cell.dataset['cell']
      if (!name) continue
      // Cells that never change are filled now; amounts and states have an element of their own.
      if (name === 'account') {
        const link = document.createElement('a')
        link.href = `/accounts/${encodeURIComponent(call.account)}`
        link.className = 'mono'
        link.textContent = call.account
        cell.append(link)
      } else if (name === 'number') {
        const code = document.createElement('code')
        code.textContent = call.number
        cell.append(code)
      } else if (name === 'state') {
        const badge = document.createElement('span')
        cell.append(badge)
        cells.set(name, badge)
      } else if (name === 'switch') {
        cell.textContent = call.switch
      } else {
        cells.set(name, cell)
      }
    }
    const shown = { row, cells, call, isSeen: true }
    this.#shown.set(call.call_id, shown)
    this.#seen.observe(row)
    this.#showOrHide(shown)
    return shown
  }

  #write(/** @type {Shown} */ shown, /** @type {LiveCall} */ call) {
    shown.call = call
    const { held, funded_until, final } = call
    const state = this.#ending.has(call.call_id) ? 'ending' : final ? 'final' : call.state
    const badge = shown.cells.get('state')
    if (badge && badge.textContent !== state) {
      badge.textContent = state
      badge.className = `badge ${TONES[/** @type {keyof TONES} */ (state)] ?? 'plain'}`
    }
    put(shown, 'held', held)
    put(shown, 'funded_until', funded_until === null ? '' : clock(funded_until))
    if (shown.isSeen) count(shown)
  }

  #scrolled(/** @type {IntersectionObserverEntry[]} */ changes) {
    for (const { target, isIntersecting } of changes) {
      const shown = this.#shown.get(/** @type {HTMLElement} */ (target).dataset['call'] ?? '')
      if (!shown) continue
      shown.isSeen = isIntersecting
      if (isIntersecting) count(shown)
    }
  }

  #showOrHide(/** @type {Shown} */ { row, call }) {
    const text = `${call.number} ${call.account}`.toLowerCase()
    row.hidden = this.#wanted !== '' && !text.includes(this.#wanted)
  }

  #count() {
    const { size } = this.#shown
    this.table.hidden = size === 0
    this.empty.hidden = size > 0
    if (size === 0) this.empty.textContent = 'No live calls'
    this.#say(`${size} ${size === 1 ? 'call' : 'calls'}, as of ${clock(new Date().toISOString())}`)
  }

  #say(/** @type {string} */ sentence) {
    for (const place of document.querySelectorAll('[data-live-state]')) {
      if (place.textContent !== sentence) place.textContent = sentence
    }
  }

  async #clicked(/** @type {Event} */ event) {
    const target = /** @type {Element} */ (event.target)
    const row = target.closest('[data-kill]')?.closest('tr')
    const shown = this.#shown.get(row?.dataset['call'] ?? '')
    if (!shown) return
    const { call_id, account, number } = shown.call
    const question = `End the call of ${account} to ${number}? It costs what it has talked.`
    if (!(await confirmed(question, 'End the call'))) return
    const answer = await fetch(`/live/${encodeURIComponent(call_id)}/kill`, {
      method: 'POST',
      headers: { 'x-csrf-token': this.region.dataset['csrf'] ?? '', accept: 'application/json' },
    }).catch(() => null)
    if (answer?.ok) this.#ending.add(call_id)
    if (this.#shown.has(call_id)) this.#write(shown, shown.call)
    if (!answer?.ok) this.#say('The call could not be ended')
  }
}

/** What goes up every second. */
function count(/** @type {Shown} */ shown) {
  const { state, seconds, cost } = shown.call
  const isTalk = state === 'answered'
  put(shown, 'seconds', isTalk && seconds !== null ? talk(seconds) : '')
  put(shown, 'cost', isTalk && cost !== null ? cost : '')
}

function put(/** @type {Shown} */ shown, /** @type {string} */ name, /** @type {string} */ text) {
  const cell = shown.cells.get(name)
  if (cell && cell.textContent !== text) cell.textContent = text
}

for (const region of document.querySelectorAll('[data-live]')) {
  const table = new LiveTable(/** @type {HTMLElement} */ (region))
  const wanted = new URLSearchParams({ changes: 'fields' })
  if (table.account) wanted.set('account', table.account)
  const events = new EventSource(`/api/v1/calls/events?${wanted}`)
  let isFirst = true
  events.addEventListener('open', () => {
    isFirst = true
  })
  events.addEventListener('calls', event => {
    const { calls, ended } = JSON.parse(event.data)
    if (isFirst) table.keepOnly(calls)
    isFirst = false
    table.remove(ended)
    table.update(calls)
  })
  events.addEventListener('stale', () => table.stale())
  events.addEventListener('error', () => table.stale())
  const search = document.querySelector('[data-live-search]')
  search?.addEventListener('input', () => {
    table.want(/** @type {HTMLInputElement} */ (search).value)
  })
}
