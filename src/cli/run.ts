/** `tollgate run`: the daemon. */
import type { Command } from 'commander'
import type { Config } from '../config.js'
import { Daemon } from '../daemon.js'
import { WebService } from '../web-service/web-service.js'
import { type Cli, examples } from './command.js'
import { createLogger } from './logger.js'
import type { Session } from './session.js'

export function runCommand(command: Command, cli: Cli): void {
  command
    .addHelpText(
      'after',
      `${examples('tollgate run --data /var/lib/tollgate')}\n
SIGTERM and SIGINT stop it: live calls go on until what is held for them is used up, and the switch
ends them then by its own timers. SIGHUP reads the configuration again.`,
    )
    .action(cli.action(run, { mayCreate: true }))
}

async function run(session: Session): Promise<void> {
  const config = await session.config()
  const log = createLogger(config.logLevel, session.terminal.stdout)
  for (const warning of config.warnings) log.warn(warning)
  const daemon = new Daemon({ dataDir: session.dataDir, config, log })
  const stopped = signalled()
  await daemon.start()
  const web = serveWeb(session, config, log)
  log.info({ pid: process.pid, dataDir: session.dataDir }, 'running')
  const reload = async () => {
    const next = await reread(session, log)
    if (next) daemon.reconfigure(next)
  }
  process.on('SIGHUP', reload)
  log.info({ signal: await stopped }, 'stopping')
  process.off('SIGHUP', reload)
  await web?.close()
  await daemon.stop()
  log.info('stopped')
}

function serveWeb(session: Session, config: Config, log: ReturnType<typeof createLogger>) {
  const { web, logLevel } = config
  if (!web) return null
  return new WebService(
    { ...web, dataDir: session.dataDir, logLevel },
    log,
    session.terminal.stdout,
  )
}

/** A configuration with mistakes is not taken over: the daemon goes on with the one it has. */
async function reread(
  session: Session,
  log: ReturnType<typeof createLogger>,
): Promise<Config | null> {
  try {
    const config = await session.config()
    log.info('the rules and the log level have been read again; the rest needs a restart')
    return config
  } catch (error) {
    log.error({ error }, 'the configuration has mistakes: nothing has been changed')
    return null
  }
}

function signalled(): Promise<string> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}
