/** Puts beside the compiled code what it reads at run time and the compiler leaves behind. */
import { cpSync } from 'node:fs'

cpSync('src/sqlite/migrations', 'dist/sqlite/migrations', { recursive: true })
