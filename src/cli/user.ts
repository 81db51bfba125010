/** `tollgate user …`: who may log in to the portal. */
import { text } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { ROLES } from '../access/scopes.js'
import type { UserJson, UserWithLink } from '../provisioning/users.js'
import { withActor } from './actor.js'
import { type Cli, examples, type Options, withYes } from './command.js'
import type { Session } from './session.js'
import { type Column, type Drawing, formatRecord, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<UserJson>[] = [
  { head: 'user', cell: user => user.name },
  { head: 'role', cell: user => user.role },
  { head: 'account', cell: user => user.account },
  { head: 'state', cell: stateOf, state: true },
  { head: 'last log-in (UTC)', cell: user => shortTime(user.last_login_at) },
]

/** Users that are asked for at a time. */
const PAGE = 1_000

export function userCommands(noun: Command, cli: Cli): void {
  defineCreate(noun, cli)
  defineLookups(noun, cli)
  defineSet(noun, cli)
  definePasswordLink(noun, cli)
  defineDelete(noun, cli)
}

const role = () => new Option('--role <role>', 'what he may').choices(ROLES)

function defineCreate(noun: Command, cli: Cli): void {
  withActor(noun.command('create'))
    .description(
      'Let somebody log in: without a password there is a link by which he chooses one, shown once',
    )
    .argument('<user-name>')
    .addOption(role().makeOptionMandatory())
    .option('--account <code>', 'the account that an account_holder sees')
    .option('--password <text>', 'his password; - reads it from standard input')
    .addHelpText(
      'after',
      examples(
        'tollgate user create anna --role admin',
        'tollgate user create alice --role account_holder --account ALICE',
        'tollgate user create ben --role operator --password - < password.txt',
      ),
    )
    .action(
      cli.action(
        async (session, options, name) => {
          const { account, actor } = options
          const password = await passwordOf(session, options)
          const input = { name, role: options['role'], account, password, actor }
          printWithLink(session, await (await session.access()).users.create(input))
        },
        { mayCreate: true },
      ),
    )
}

function defineLookups(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List who may log in')
    .option('--search <text>', 'what the name or the account contains')
    .addHelpText('after', examples('tollgate user list'))
    .action(
      cli.action(async (session, { search }) => {
        const { users } = await session.access()
        const found: UserJson[] = []
        for (;;) {
          const after = found.at(-1)?.name
          const page = await users.list({ search, after, limit: PAGE })
          found.push(...page)
          if (page.length < PAGE) break
        }
        session.print(found, () => formatTable(LIST, found))
      }),
    )

  noun
    .command('show')
    .description('Show who somebody is, and what he may')
    .argument('<user-name>')
    .addHelpText('after', examples('tollgate user show anna'))
    .action(
      cli.action(async (session, _options, name) => {
        session.print(await (await session.access()).users.show({ name }), record)
      }),
    )
}

function defineSet(noun: Command, cli: Cli): void {
  withActor(noun.command('set'))
    .description('Change what somebody may; who may less is logged out at once')
    .argument('<user-name>')
    .addOption(role())
    .option('--account <code>', 'the account that an account_holder sees')
    .option('--enable', 'let him log in')
    .addOption(new Option('--disable', 'do not').conflicts('enable'))
    .addHelpText(
      'after',
      examples('tollgate user set anna --role operator', 'tollgate user set ben --disable'),
    )
    .action(
      cli.action(async (session, options, name) => {
        const { account, enable, disable, actor } = options
        const enabled = enable ? true : disable ? false : undefined
        const input = { name, role: options['role'], account, enabled, actor }
        session.print(await (await session.access()).users.set(input), record)
      }),
    )
}

function definePasswordLink(noun: Command, cli: Cli): void {
  withActor(noun.command('password-link'))
    .description(
      'Print a link by which somebody chooses a new password; it is good once, for a day',
    )
    .argument('<user-name>')
    .addHelpText('after', examples('tollgate user password-link anna'))
    .action(
      cli.action(async (session, { actor }, name) => {
        printWithLink(session, await (await session.access()).users.passwordLink({ name, actor }))
      }),
    )
}

function defineDelete(noun: Command, cli: Cli): void {
  withYes(withActor(noun.command('delete')))
    .description('Delete a user; what he did stays on record')
    .argument('<user-name>')
    .addHelpText('after', examples('tollgate user delete ben'))
    .action(
      cli.action(async (session, { actor }, name) => {
        await session.confirm(async () => {
          const user = await (await session.access()).users.show({ name })
          return `Delete the user ${user.name} (${user.role})?`
        })
        session.print(await (await session.access()).users.delete({ name, actor }), record)
      }),
    )
}

/** On a command line a password is in the history of the shell, and in everybody's list of processes. */
async function passwordOf(session: Session, { password }: Options): Promise<unknown> {
  if (password !== '-') return password
  return (await text(session.terminal.stdin)).replace(/\r?\n$/, '')
}

function printWithLink(session: Session, user: UserWithLink): void {
  session.print(user, ({ password_link: link, ...rest }) =>
    record(rest, link === null ? {} : { link: `${link} (good once, for a day)` }),
  )
}

function record(user: UserJson, more: Record<string, string> = {}): Drawing {
  return formatRecord({
    user: user.name,
    role: user.role,
    ...(user.account !== null && { account: user.account }),
    state: stateOf(user),
    ...more,
    created: `${shortTime(user.created_at)} UTC`,
    'last log-in': user.last_login_at === null ? null : `${shortTime(user.last_login_at)} UTC`,
  })
}

function stateOf({ enabled, has_password }: UserJson): string {
  if (!enabled) return 'disabled'
  return has_password ? 'enabled' : 'no password yet'
}
