/** Puts beside the compiled code what it reads at run time and the compiler leaves behind. */
import { cpSync, statSync } from 'node:fs'

const isCompiled = file => /\.ts$/.test(file) && statSync(file).isFile()

cpSync('src', 'dist', { recursive: true, filter: file => !isCompiled(file) })
