/** A Chromium for tests of the portal: the one of an npm package, which needs nothing installed. */
import chromium from '@sparticuz/chromium'
import { type Browser, chromium as playwright } from 'playwright-core'

const ARGUMENTS = ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking']

/** Of what the package asks for: pages that are closed take a single process along, and nobody's safety is lowered. */
const UNWANTED = ['--single-process', '--disable-web-security', '--allow-running-insecure-content']

/** Why there is none is said in one line, where it does not start. */
export async function openBrowser(): Promise<Browser | string> {
  try {
    const executablePath = await chromium.executablePath()
    const wanted = chromium.args.filter(argument => !UNWANTED.includes(argument))
    return await playwright.launch({ executablePath, args: [...wanted, ...ARGUMENTS] })
  } catch (error) {
    return (error as Error).message.split('\n')[0]!
  }
}
