/** The program as a process, from its sources: node --import=tsx test/support/tollgate.ts … */
import { main } from '../../src/cli/main.js'

await main(process.argv)
