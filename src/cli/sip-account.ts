/** `tollgate sip-account …`: who may register with a switch, and whose credit they call on. */
import { text } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { addressText, type SipAccountJson } from '../ledger/sip-accounts.js'
import { exportDomain, type SipAccountWithPassword } from '../provisioning/sip-accounts.js'
import { withActor } from './actor.js'
import { type Cli, examples, type Options, withYes } from './command.js'
import type { Session } from './session.js'
import { type Column, type Drawing, formatRecord, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<SipAccountJson>[] = [
  { head: 'user', cell: account => account.user },
  { head: 'domain', cell: account => account.domain },
  { head: 'account', cell: account => account.account },
  { head: 'state', cell: stateOf, state: true },
  { head: 'name', cell: account => account.name, flexible: true },
]

/** SIP accounts that are asked for at a time. */
const PAGE = 1_000

export function sipAccountCommands(noun: Command, cli: Cli): void {
  defineCreate(noun, cli)
  defineLookups(noun, cli)
  defineSet(noun, cli)
  defineDelete(noun, cli)
  defineExport(noun, cli)
}

function withDomain(command: Command): Command {
  return command.requiredOption('--domain <domain>', 'the SIP domain: a host name or an IP address')
}

function withTerms(command: Command): Command {
  return command
    .option('--name <name>', 'what the called see')
    .option('--password <text>', 'its password; - reads it from standard input')
    .option('--a1-hash <hash>', 'md5("user:domain:password"), where only that is known')
}

function defineCreate(noun: Command, cli: Cli): void {
  const command = withDomain(noun.command('create'))
    .description(
      'Create a SIP account; the password is generated and shown once unless it is given',
    )
    .argument('<user>')
    .requiredOption('--account <code>', 'the account that pays for its calls')
    .option('--disabled', 'create it, but let it do nothing yet')
  withActor(withTerms(command))
    .addHelpText(
      'after',
      examples(
        'tollgate sip-account create 1000 --domain sip.example.com --account ALICE',
        'tollgate sip-account create 1001 --domain sip.example.com --account ALICE --password - < password.txt',
      ),
    )
    .action(
      cli.action(async (session, options, user) => {
        const enabled = options['disabled'] ? false : undefined
        const { domain, account, actor } = options
        const input = {
          ...(await termsOf(session, options)),
          user,
          domain,
          account,
          enabled,
          actor,
        }
        printWithPassword(session, await (await session.ledger()).sipAccountCreate(input))
      }),
    )
}

function defineLookups(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List SIP accounts, in the order of their domains')
    .option('--domain <domain>', 'those of this SIP domain')
    .option('--account <code>', 'those whose calls this account pays for')
    .option('--search <text>', 'what the user or the name contains')
    .option('--limit <n>', 'no more than this many')
    .addHelpText('after', examples('tollgate sip-account list --account ALICE'))
    .action(
      cli.action(async (session, options) => {
        session.print(await listed(session, options), accounts => formatTable(LIST, accounts))
      }),
    )

  withDomain(noun.command('show'))
    .description('Show a SIP account')
    .argument('<user>')
    .addHelpText('after', examples('tollgate sip-account show 1000 --domain sip.example.com'))
    .action(
      cli.action(async (session, { domain }, user) => {
        session.print(await (await session.ledger()).sipAccountShow({ user, domain }), record)
      }),
    )
}

/** All of them, a page at a time, unless there is a limit. */
async function listed(session: Session, options: Options): Promise<SipAccountJson[]> {
  const { domain, account, search, limit } = options
  const ledger = await session.ledger()
  if (limit !== undefined) return ledger.sipAccountList({ domain, account, search, limit })
  const found: SipAccountJson[] = []
  for (;;) {
    const last = found.at(-1)
    const after = last && addressText(last)
    const page = await ledger.sipAccountList({ domain, account, search, after, limit: PAGE })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}

function defineSet(noun: Command, cli: Cli): void {
  const command = withDomain(noun.command('set'))
    .description('Change a SIP account; the switches are told at once')
    .argument('<user>')
    .option('--account <code>', 'the account that pays for its calls')
    .option('--new-password', 'generate a password, and show it once')
    .option('--enable', 'let it register and call')
    .addOption(
      new Option('--disable', 'let it neither register, nor call, nor be called').conflicts(
        'enable',
      ),
    )
  withActor(withTerms(command))
    .addHelpText(
      'after',
      examples(
        'tollgate sip-account set 1000 --domain sip.example.com --new-password',
        'tollgate sip-account set 1000 --domain sip.example.com --disable',
      ),
    )
    .action(
      cli.action(async (session, options, user) => {
        const { domain, account, actor, newPassword: generate_password } = options
        const terms = { ...(await termsOf(session, options)), enabled: enabledBy(options) }
        const input = { ...terms, user, domain, account, generate_password, actor }
        printWithPassword(session, await (await session.ledger()).sipAccountSet(input))
      }),
    )
}

function enabledBy({ enable, disable }: Options): boolean | undefined {
  if (enable) return true
  return disable ? false : undefined
}

function defineDelete(noun: Command, cli: Cli): void {
  withYes(withActor(withDomain(noun.command('delete'))))
    .description('Delete a SIP account; what it called stays on record')
    .argument('<user>')
    .addHelpText('after', examples('tollgate sip-account delete 1000 --domain sip.example.com'))
    .action(
      cli.action(async (session, { domain, actor }, user) => {
        await session.confirm(async () => {
          const found = await (await session.ledger()).sipAccountShow({ user, domain })
          return `Delete the SIP account ${addressText(found)} of ${found.account}?`
        })
        const ledger = await session.ledger()
        session.print(await ledger.sipAccountDelete({ user, domain, actor }), record)
      }),
    )
}

function defineExport(noun: Command, cli: Cli): void {
  withDomain(noun.command('export'))
    .description(
      'Print a domain as static XML, with the hashes of its passwords: for a FreeSWITCH without mod_xml_curl',
    )
    .addHelpText(
      'after',
      examples(
        'tollgate sip-account export --domain sip.example.com > directory/sip.example.com.xml',
      ),
    )
    .action(
      cli.action(async (session, { domain }) => {
        session.refuseJson('XML is no JSON: leave out --json')
        const { directory } = await session.config()
        session.write(await exportDomain(await session.credentials(), directory, { domain }))
      }),
    )
}

async function termsOf(session: Session, options: Options) {
  const { name, a1Hash: a1_hash, password } = options
  return { name, a1_hash, password: password === '-' ? await typed(session) : password }
}

/** On a command line a password is in the history of the shell, and in everybody's list of processes. */
async function typed(session: Session): Promise<string> {
  return (await text(session.terminal.stdin)).replace(/\r?\n$/, '')
}

function printWithPassword(session: Session, account: SipAccountWithPassword): void {
  session.print(account, ({ generated_password: password, ...rest }) =>
    record(rest, password === null ? {} : { password: `${password} (it is not shown again)` }),
  )
}

function record(account: SipAccountJson, more: Record<string, string> = {}): Drawing {
  return formatRecord({
    user: account.user,
    domain: account.domain,
    account: account.account,
    state: stateOf(account),
    ...(account.name && { name: account.name }),
    ...more,
    created: `${shortTime(account.created_at)} UTC`,
  })
}

function stateOf({ enabled }: SipAccountJson): string {
  return enabled ? 'enabled' : 'disabled'
}
