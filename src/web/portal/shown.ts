/**
 * What pages are made of, as plain values: the templates in views/ draw them, and nothing else in the
 * portal writes HTML. Amounts are decimal strings, as everywhere.
 */

/** Colours that mean something. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain'

export type Cell =
  | string
  | number
  | null
  /** `signed` shows what came in and what went out in colours. */
  | { readonly money: string; readonly signed?: boolean }
  /** An instant in ISO 8601. */
  | { readonly at: string }
  | { readonly text: string; readonly href: string; readonly mono?: boolean }
  /** A state in a word, like `active`. */
  | { readonly badge: string; readonly tone?: Tone }
  /** Figures and ids: never broken up or cut. */
  | { readonly code: string }
  | { readonly parts: readonly Cell[] }
  /** What was changed, from what to what. */
  | { readonly changes: readonly Change[] }

export interface Change {
  readonly name: string
  readonly before: string
  readonly after: string
}

export interface Column {
  readonly label: string
  /** The name of the cell, for scripts. */
  readonly name?: string
  /** Figures are at the right, text may be broken. */
  readonly kind?: 'number' | 'text'
  /** Where a click on the head leads, and how the list is sorted now. */
  readonly sort?: { readonly href: string; readonly now: 'ascending' | 'descending' | null }
}

export interface Row {
  readonly id?: string
  readonly cells: readonly Cell[]
  readonly tone?: 'muted'
  readonly actions?: readonly (Form | Link)[]
  /** In the place of the cells. */
  readonly form?: Form
}

export interface Table {
  /** For those who do not see it. */
  readonly caption: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** Said instead, where there are no rows. */
  readonly empty: Empty
  readonly foot?: readonly Cell[]
  readonly id?: string
}

export interface Empty {
  readonly title: string
  readonly text?: string
}

export interface Link {
  readonly text: string
  readonly href: string
  readonly main?: boolean
  /** The id of the only part of the page that is another there. */
  readonly swap?: string
}

export interface Field {
  readonly name: string
  readonly label: string
  readonly type?:
    | 'text'
    | 'money'
    | 'whole'
    | 'password'
    | 'select'
    | 'lines'
    | 'check'
    | 'checks'
    | 'search'
    | 'time'
  readonly value?: string | null
  readonly hint?: string
  readonly required?: boolean
  readonly options?: readonly { readonly value: string; readonly label: string }[]
  readonly autocomplete?: string
  readonly placeholder?: string
  /** As wide as the form; in a filter bar, wider than the others. */
  readonly wide?: boolean
  readonly focus?: boolean
}

/** A form that changes something: it is sent by POST, with the token of the session. */
export interface Form {
  readonly action: string
  readonly csrf: string
  readonly submit: string
  readonly fields?: readonly Field[]
  readonly hidden?: Readonly<Record<string, string>>
  /** A sentence to be confirmed first. */
  readonly confirm?: string
  readonly tone?: 'main' | 'danger' | 'plain'
  readonly small?: boolean
  /** Several fields beside each other. */
  readonly wide?: boolean
  /** Why it was refused. */
  readonly problem?: string | null
  readonly cancel?: string
  readonly title?: string
  /** Distinguishes the fields of several forms on a page. */
  readonly id?: string
}

/** A form that only asks. */
export interface Filters {
  readonly action: string
  readonly fields: readonly Field[]
  readonly hidden?: Readonly<Record<string, string>>
  readonly submit?: string
  /** Where all of it is taken away. */
  readonly clear?: string | null
}

export interface Pager {
  readonly text: string
  readonly first?: string | null
  readonly next?: string | null
  readonly export?: string | null
}

export interface Tile {
  readonly label: string
  readonly value: Cell
  readonly note?: Cell
  readonly tone?: 'warn' | 'bad'
  readonly name?: string
}

export interface Fact {
  readonly label: string
  readonly value: Cell
}

export interface Happening {
  /** Null where the books do not have the instant. */
  readonly at: string | null
  /** How long after the one before, in words. */
  readonly after?: string
  readonly title: string
  readonly text?: Cell
  readonly tone?: 'good' | 'bad'
}

export interface Notice {
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
  readonly text: string
  /** Shown this once, to be copied. */
  readonly secret?: string
}

/** An amount in the pieces that are drawn differently: `1 234.50` and the `0000` that say nothing. */
export interface Amount {
  readonly sign: string
  readonly thousands: readonly string[]
  readonly fraction: string
  readonly trail: string
}

/** @param amount a decimal string with six places */
export function amountParts(amount: string): Amount {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.(\d{6})$/.exec(amount) ?? []
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ' ').split(' ')
  const telling = fraction.replace(/0+$/, '').padEnd(2, '0')
  return { sign, thousands, fraction: telling, trail: fraction.slice(telling.length) }
}

/** The state of whatever has one, and what that means to who looks at it. */
export const TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  suspended: 'warn',
  closed: 'bad',
  completed: 'good',
  unanswered: 'plain',
  refused: 'warn',
  cut_off: 'bad',
  answered: 'good',
  ringing: 'plain',
  final: 'bad',
  low: 'warn',
  enabled: 'good',
  disabled: 'warn',
  blocked: 'bad',
  top_up: 'good',
  expired: 'warn',
  revoked: 'bad',
  open: 'warn',
  charged: 'good',
}

/** `cut_off` as people say it. */
export const inWords = (name: string) => name.replaceAll('_', ' ')
