/** What axe-core finds on a page that keeps people from using it. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** A sentence for each fault that is serious or worse, with the elements that have it. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // As a debugger would: the pages allow no script but their own.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run(document)')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}
