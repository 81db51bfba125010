/**
 * The charts of the dashboard. What is drawn are numbers, in millionths of the currency for money;
 * what is written of money are the decimal strings that came, or ticks that are whole numbers of
 * millionths.
 */
import { localiseTimes } from './portal.js'

/**
 * @typedef {{ at: number, taken: string, topped_up: string, live: number, refused: number,
 *   cut_off: number, answer_rate: number | null }} Point
 * @typedef {{ point_s: number, points: Point[] }} Figures
 * @typedef {'taken' | 'topped_up' | 'live' | 'refused' | 'answer_rate'} ChartName
 */

const REFRESH_MS = 10_000
const MILLION = 1_000_000n

/** Millionths of a decimal string, to draw. */
const drawn = (/** @type {string} */ amount) => Number(amount.replace('.', ''))

/** Millionths as a decimal, without the zeros that say nothing. */
function decimal(/** @type {number} */ tick) {
  const micros = BigInt(Math.round(tick))
  const fraction = String(micros % MILLION)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${micros / MILLION}${fraction ? `.${fraction}` : ''}`
}

/** As it is in force in the light, or in the dark. */
function colour(/** @type {string} */ name) {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const two = (/** @type {number} */ number) => String(number).padStart(2, '0')

function axisTime(/** @type {number} */ seconds, /** @type {number} */ spanS) {
  const at = new Date(seconds * 1000)
  const day = `${at.getDate()} ${at.toLocaleString('en', { month: 'short' })}`
  if (spanS > 3 * 86_400) return day
  return `${two(at.getHours())}:${two(at.getMinutes())}`
}

/** As many places as are read at a glance: two, and what else is not nothing. */
const written = (/** @type {string} */ amount) => amount.replace(/0{1,4}$/, '')

/** What is read of a point. @type {Record<ChartName, (point: Point) => string>} */
const READINGS = {
  taken: ({ taken }) => written(taken),
  topped_up: ({ topped_up }) => written(topped_up),
  live: ({ live }) => `${live.toFixed(1)} on average`,
  refused: ({ refused, cut_off }) => `${refused} refused, ${cut_off} cut off`,
  answer_rate: ({ answer_rate }) =>
    answer_rate === null ? 'no calls' : `${answer_rate.toFixed(1)} %`,
}

/** @type {Record<ChartName, ((point: Point) => number | null)[]>} */
const SERIES = {
  taken: [point => drawn(point.taken)],
  topped_up: [point => drawn(point.topped_up)],
  live: [point => point.live],
  refused: [point => point.refused + point.cut_off, point => point.cut_off],
  answer_rate: [point => point.answer_rate],
}

/** @type {Partial<Record<ChartName, string[]>>} */
const COLOURS = { topped_up: ['--chart-4'], refused: ['--chart-3', '--chart-2'] }

class Chart {
  /** @type {any} */
  #plot = null

  constructor(/** @type {HTMLElement} */ place) {
    this.place = place
    this.name = /** @type {ChartName} */ (place.dataset['chart'])
    this.isMoney = this.name === 'taken' || this.name === 'topped_up'
    this.reading = document.querySelector(`[data-reading=${this.name}]`)
    /** @type {Figures | null} */
    this.figures = null
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(place)
  }

  show(/** @type {Figures} */ figures) {
    this.figures = figures
    const { points } = figures
    const drawnPoints = [points.map(({ at }) => at), ...SERIES[this.name].map(of => points.map(of))]
    if (this.#plot) this.#plot.setData(drawnPoints)
    else this.draw(drawnPoints)
  }

  /** Anew, in the colours that are in force. */
  redraw() {
    this.#plot?.destroy()
    this.#plot = null
    if (this.figures) this.show(this.figures)
  }

  draw(/** @type {unknown[]} */ drawnPoints) {
    const { uPlot } = /** @type {any} */ (window)
    const { bars, linear } = uPlot.paths
    const isBars = this.isMoney || this.name === 'refused'
    const colours = COLOURS[this.name] ?? []
    const series = SERIES[this.name].map((_, i) => {
      const stroke = colour(colours[i] ?? '--chart-1')
      const fill = isBars ? stroke : stroke.replace('rgb(', 'rgba(').replace(')', ', 0.14)')
      const paths = isBars ? bars({ size: [0.72, 40], radius: 0.12 }) : linear()
      const width = isBars ? 0 : 1.75
      return { stroke, fill, paths, width, points: { show: false }, spanGaps: false }
    })
    const options = {
      ...this.#size(),
      legend: { show: false },
      cursor: { y: false, points: { show: !isBars, size: 7 } },
      scales: { x: { time: true }, y: { range: this.#range } },
      series: [{}, ...series],
      axes: [this.#timeAxis(), this.#valueAxis()],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.#read(plot.cursor.idx)] },
    }
    this.#plot = new uPlot(options, drawnPoints, this.place)
  }

  #range = (/** @type {any} */ _plot, /** @type {number} */ _low, /** @type {number} */ high) => {
    if (this.name === 'answer_rate') return [0, 100]
    return [0, Math.max(high * 1.08, this.isMoney ? 10_000 : 4)]
  }

  #timeAxis() {
    return {
      stroke: colour('--muted'),
      grid: { show: false },
      ticks: { show: false },
      size: 24,
      font: '11px system-ui, sans-serif',
      values: (/** @type {any} */ plot, /** @type {number[]} */ ticks) => {
        const spanS = plot.scales.x.max - plot.scales.x.min
        return ticks.map(tick => axisTime(tick, spanS))
      },
      space: 60,
    }
  }

  #valueAxis() {
    // Whole numbers only: of millionths, of calls, or of percent.
    const incrs = [...Array(16).keys()].flatMap(power => [1, 2, 5].map(one => one * 10 ** power))
    return {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      size: this.isMoney ? 58 : 40,
      font: '11px system-ui, sans-serif',
      incrs,
      values: (/** @type {any} */ _plot, /** @type {number[]} */ ticks) =>
        ticks.map(tick => {
          if (this.isMoney) return decimal(tick)
          return this.name === 'answer_rate' ? `${tick} %` : String(tick)
        }),
    }
  }

  #size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight }
  }

  #read(/** @type {number | null | undefined} */ index) {
    const point = index === null || index === undefined ? null : this.figures?.points[index]
    if (!this.reading || !this.figures) return
    if (!point) {
      this.reading.textContent = ''
      return
    }
    const at = new Date(point.at * 1000)
    const when = `${at.getDate()} ${at.toLocaleString('en', { month: 'short' })} ${two(at.getHours())}:${two(at.getMinutes())}`
    this.reading.textContent = `${when}: ${READINGS[this.name](point)}`
  }
}

const board = document.querySelector('[data-charts]')
const range = board instanceof HTMLElement ? (board.dataset['charts'] ?? '') : ''
const charts = [...document.querySelectorAll('[data-chart]')].map(
  place => new Chart(/** @type {HTMLElement} */ (place)),
)

/** The figures of the tiles, from the page as the server draws it: so that they are drawn in one place. */
function replaceTiles(/** @type {Document} */ page) {
  for (const tile of document.querySelectorAll('[data-tile]')) {
    const name = tile.getAttribute('data-tile')
    const fresh = page.querySelector(`[data-tile="${name}"]`)
    if (fresh && fresh.innerHTML !== tile.innerHTML) tile.replaceChildren(...fresh.childNodes)
  }
}

async function refresh() {
  const answer = await fetch(`/dashboard/figures?range=${range}`)
  if (!answer.ok) return
  const figures = /** @type {Figures} */ (await answer.json())
  for (const chart of charts) chart.show(figures)
}

async function refreshAll() {
  if (document.hidden) return
  await refresh()
  const page = await fetch(location.href)
  if (!page.ok) return
  replaceTiles(new DOMParser().parseFromString(await page.text(), 'text/html'))
  localiseTimes(document)
}

void refresh()
setInterval(() => void refreshAll().catch(() => {}), REFRESH_MS)
document.addEventListener('theme', () => {
  for (const chart of charts) chart.redraw()
})
