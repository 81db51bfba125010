/**
 * The thread of a Checkpointer, with a connection of its own: asked to copy the log, it copies what
 * has been committed by then, and answers how much of the log is in the file.
 *
 * Passive is the one way that takes no lock of the writer, who would stand still, or fail.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Ask, LogLength } from './checkpointer.js'
import { type Database, openBeside } from './database.js'
import { troubleWith } from './trouble.js'

const file = workerData as string
let database: Database | undefined

function copy(): Answer {
  try {
    database ??= openBeside(file)
    database.pragma('wal_checkpoint(PASSIVE)')
    const [length] = database.pragma('wal_checkpoint(NOOP)') as [LogLength]
    return length
  } catch (error) {
    const trouble = troubleWith(file, error)
    if (!trouble) throw error
    return { trouble: trouble.message }
  }
}

parentPort!.on('message', (ask: Ask) => {
  if (ask === 'copy') return parentPort!.postMessage(copy())
  database?.close()
  parentPort!.close()
})
