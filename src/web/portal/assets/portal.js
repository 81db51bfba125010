/**
 * What every page has: the light and dark switch, instants in the reader's own time, questions before
 * something is ended, forms that are sent once, and parts of a page that are replaced in place. All of
 * it makes a page better that works without.
 */

const THEMES = { light: 'Dark', dark: 'Light' }

/** @returns {'light' | 'dark'} */
function theme() {
  const chosen = document.documentElement.dataset['theme']
  if (chosen === 'light' || chosen === 'dark') return chosen
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

function nameThemeSwitch() {
  for (const button of document.querySelectorAll('[data-theme-switch]')) {
    button.textContent = THEMES[theme()]
  }
}

const two = (/** @type {number} */ number) => String(number).padStart(2, '0')

/** `2026-11-23 14:03:07`, as the reader's clock shows it. */
function localTime(/** @type {Date} */ at) {
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** Instants travel in UTC, to the microsecond: that stays to be seen when one points at them. */
export function localiseTimes(/** @type {ParentNode} */ within) {
  for (const time of within.querySelectorAll('time:not([title])')) {
    const instant = time.getAttribute('datetime') ?? ''
    const at = new Date(instant)
    if (Number.isNaN(at.getTime())) continue
    const isFine = time.hasAttribute('data-fine')
    const local = localTime(at)
    // In the story of one call the day is said once, and every instant to the millisecond.
    time.textContent = isFine ? `${local.slice(11)}.${instant.slice(20, 23)}` : local
    time.setAttribute('title', instant)
  }
}

/** Asks in a dialog. Resolves to whether the answer was yes. */
export function confirmed(/** @type {string} */ sentence, /** @type {string} */ yes) {
  const dialog = /** @type {HTMLDialogElement} */ (document.querySelector('#confirm'))
  const text = /** @type {HTMLElement} */ (dialog.querySelector('p'))
  const button = /** @type {HTMLElement} */ (dialog.querySelector('[value=yes]'))
  text.textContent = sentence
  button.textContent = yes
  dialog.returnValue = 'no'
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/** A form that was sent is not sent again by an impatient second click. */
document.addEventListener('submit', async event => {
  const form = /** @type {HTMLFormElement} */ (event.target)
  if (form.method !== 'post') return
  if (form.dataset['sent']) return event.preventDefault()
  const sentence = form.dataset['confirm']
  if (sentence && !form.dataset['confirmed']) {
    event.preventDefault()
    const yes = event.submitter?.textContent?.trim() || 'Confirm'
    if (!(await confirmed(sentence, yes))) return
    form.dataset['confirmed'] = 'yes'
    return form.requestSubmit()
  }
  form.dataset['sent'] = 'yes'
  for (const button of form.querySelectorAll('button')) button.setAttribute('aria-busy', 'true')
})

/** A page that comes back from the browser's memory can be used again. */
window.addEventListener('pageshow', event => {
  if (!event.persisted) return
  for (const form of document.querySelectorAll('form')) {
    delete form.dataset['sent']
    delete form.dataset['confirmed']
  }
  for (const button of document.querySelectorAll('[aria-busy]')) button.removeAttribute('aria-busy')
})

/** Puts one part of another page in the place of the same part of this one. */
async function swap(/** @type {HTMLAnchorElement} */ link, /** @type {string} */ id) {
  const answer = await fetch(link.href)
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const fresh = page.getElementById(id)
  const old = document.getElementById(id)
  if (!answer.ok || !fresh || !old) {
    location.href = link.href
    return
  }
  old.replaceWith(fresh)
  localiseTimes(fresh)
  const first = fresh.querySelector('input:not([type=hidden])')
  if (first instanceof HTMLElement) first.focus()
}

document.addEventListener('click', event => {
  const target = /** @type {Element} */ (event.target)
  if (target.closest('[data-theme-switch]')) {
    const next = theme() === 'dark' ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = next
    localStorage.setItem('theme', next)
    nameThemeSwitch()
    document.dispatchEvent(new Event('theme'))
  }
  const link = target.closest('a[data-swap]')
  if (link instanceof HTMLAnchorElement && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    void swap(link, link.dataset['swap'] ?? '')
  }
  const copy = target.closest('[data-copy]')
  if (copy instanceof HTMLElement) {
    const text = document.getElementById(copy.dataset['copy'] ?? '')?.textContent ?? ''
    void navigator.clipboard?.writeText(text).then(() => {
      copy.textContent = 'Copied'
    })
  }
})

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  nameThemeSwitch()
  document.dispatchEvent(new Event('theme'))
})

nameThemeSwitch()
localiseTimes(document)
