import { Option, type Command } from 'commander';
import { systemClock } from '../clock.ts';
import type { AnswerFile } from '../sdk/answer-file.ts';
import { catalogueClient } from '../sdk/catalogue.ts';
import type { Connection } from '../sdk/connection.ts';
import { creditReportPage } from '../sdk/credit-report-page.ts';
import type { ReportLanguage } from '../sdk/credit-report-texts.ts';
import { creditReportText, makeCreditReport } from '../sdk/credit-report.ts';
import { grantsClient } from '../sdk/grants.ts';
import { reserveFile, type ReservedFile } from './secret-file.ts';

/** Where a report of an answer goes. */
export type ReportFlags = { readonly report?: string; readonly reportJson?: string; readonly reportLanguage: ReportLanguage };

export function reportOptions(command: Command): Command {
  return command
    .option('--report <file>', 'write a signed report of the answer as a page to print, with all values in clear, to this new file')
    .option('--report-json <file>', 'the same as a file for programs')
    .addOption(new Option('--report-language <language>', 'language of the page').choices(['en', 'zh']).default('en'));
}

/** Places that are there before anything is asked: what is asked for once is spent. Errors: CONFIG_INVALID. */
export type ReportPlaces = { readonly page: ReservedFile | undefined; readonly json: ReservedFile | undefined; readonly language: ReportLanguage };

export function reportPlaces({ report, reportJson, reportLanguage }: ReportFlags): ReportPlaces {
  const page = report === undefined ? undefined : reserveFile(report);
  try {
    return { page, json: reportJson === undefined ? undefined : reserveFile(reportJson), language: reportLanguage };
  } catch (error) {
    page?.discard();
    throw error;
  }
}

export function wantsReport({ report, reportJson }: ReportFlags): boolean {
  return report !== undefined || reportJson !== undefined;
}

export function discardPlaces({ page, json }: ReportPlaces): void {
  page?.discard();
  json?.discard();
}

/** Makes the report of a saved answer and writes it where it was wanted. Errors: those of the gateway, DISCLOSURE_*. */
export async function writeReports(saved: AnswerFile, connection: Connection, places: ReportPlaces): Promise<void> {
  const { page, json, language } = places;
  if (page === undefined && json === undefined) return;
  try {
    const [catalogue, grant] = await Promise.all([catalogueClient(connection).catalogue(), grantsClient(connection).readGrant(saved.answer.grant)]);
    const file = await makeCreditReport({ saved, credentials: connection.credentials, catalogue, grant, clock: systemClock });
    const html = page === undefined ? '' : await creditReportPage(file, language);
    json?.write(creditReportText(file));
    page?.write(html);
  } catch (error) {
    discardPlaces(places);
    throw error;
  }
}
