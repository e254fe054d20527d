import { settingList } from '../app/setting-list.ts';
import type { Settings } from '../app/settings.ts';
import { UsageError } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { addExamples } from './examples.ts';
import type { AddCommand } from './program.ts';
import { addSettingOptions, readSettings } from './setting-options.ts';
import { version } from './version.ts';

const note = `Precedence: flag, environment, config file, default.

Ends on SIGTERM or SIGINT: not ready, accepting for the drain delay, then what runs is finished, at most until the grace
period ends; a second signal stops at once. The exit code is 0 in each case, 1 after a failure, 2 for bad usage.`;

/** After an error that nobody expected: time to write the log and close what can be closed. */
const lastWordsMs = 2000;
const lingerMs = 200;

export const runCommand: AddCommand = (program, context, finished) => {
  const command = program.command('run').description('serve traffic until SIGTERM or SIGINT');
  addExamples(
    command,
    program,
    [
      'run --manifests ./manifests',
      'run --manifests ./manifests --http-port 80 --workers 4 --access-log=false',
      'run --kubeconfig ./controller.kubeconfig --publish-status-address 192.0.2.10',
      'SALLYPORT_MANIFESTS=./manifests {name} run --config settings.yaml',
    ],
    note,
  );
  const given = addSettingOptions(command, Object.keys(settingList) as (keyof typeof settingList)[]);
  command.action(async () => {
    const settings = readSettings(given, context);
    if (!hasSource(settings, context)) {
      throw new UsageError(
        'Choose a source: give a folder with --manifests DIR or a cluster with --kubeconfig FILE, or run in a pod',
      );
    }
    await serve(settings);
    finished(0);
  });
};

function hasSource({ manifests, kubeconfig }: Settings, { environment }: CommandContext): boolean {
  return manifests !== '' || kubeconfig !== '' || (environment['KUBERNETES_SERVICE_HOST'] ?? '') !== '';
}

async function serve(settings: Settings): Promise<void> {
  // Everything that serves, and the cluster's client among it, is loaded by this command alone.
  const [{ startApp }, { Shutdown }, { systemClock }] = await Promise.all([
    import('../app/start.ts'),
    import('../app/shutdown.ts'),
    import('../control/loop.ts'),
  ]);
  // Signals that come while starting are kept until there is something to shut down.
  const early: NodeJS.Signals[] = [];
  let onSignal = (signal: NodeJS.Signals): void => void early.push(signal);
  const listener = (signal: NodeJS.Signals): void => onSignal(signal);
  process.on('SIGTERM', listener).on('SIGINT', listener);
  try {
    const app = await startApp(settings, version);
    const shutdown = new Shutdown(app, {
      drainDelayMs: settings.drainDelay,
      gracePeriodMs: settings.gracePeriod,
      clock: systemClock,
      log: app.log,
    });
    process.once('uncaughtException', (error) => {
      app.log.fatal('unexpected error, ending', { err: error });
      setTimeout(() => process.exit(1), lastWordsMs);
      void app.stop().finally(() => process.exit(1));
    });
    onSignal = (signal) => shutdown.request(signal);
    for (const signal of early) shutdown.request(signal);
    await shutdown.finished;
    // Everything has ended. A log line that nobody reads must not keep the process: nothing else could.
    setTimeout(() => process.exit(), lingerMs).unref();
  } finally {
    process.off('SIGTERM', listener).off('SIGINT', listener);
  }
}
