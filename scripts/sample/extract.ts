import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { extractFile, labelColumn } from './figures.ts';

/**
 * Makes sample/financials_extract.csv.gz out of the UCI file: 28 of its 95 ratios under the catalogue's names, and
 * the bankruptcy label. Run once; the result is in the repository. `node scripts/sample/extract.ts <file.csv>`
 */
const columns: Readonly<Record<string, string>> = {
  roa_before_interest_depreciation: 'ROA(C) before interest and depreciation before interest',
  roa_after_tax: 'ROA(A) before interest and % after tax',
  operating_gross_margin: 'Operating Gross Margin',
  operating_profit_rate: 'Operating Profit Rate',
  pre_tax_net_interest_rate: 'Pre-tax net Interest Rate',
  cash_flow_rate: 'Cash flow rate',
  tax_rate: 'Tax rate (A)',
  net_value_per_share: 'Net Value Per Share (A)',
  persistent_eps: 'Persistent EPS in the Last Four Seasons',
  cash_flow_per_share: 'Cash Flow Per Share',
  operating_profit_per_share: 'Operating Profit Per Share (Yuan ¥)',
  operating_profit_growth: 'Operating Profit Growth Rate',
  net_profit_growth: 'After-tax Net Profit Growth Rate',
  cash_reinvestment: 'Cash Reinvestment %',
  current_ratio: 'Current Ratio',
  quick_ratio: 'Quick Ratio',
  debt_ratio: 'Debt ratio %',
  borrowing_dependency: 'Borrowing dependency',
  total_asset_turnover: 'Total Asset Turnover',
  receivables_turnover: 'Accounts Receivable Turnover',
  net_worth_turnover: 'Net Worth Turnover Rate (times)',
  working_capital_to_assets: 'Working Capital to Total Assets',
  cash_to_assets: 'Cash/Total Assets',
  current_liability_to_assets: 'Current Liability to Assets',
  retained_earnings_to_assets: 'Retained Earnings to Total Assets',
  net_income_to_assets: 'Net Income to Total Assets',
  interest_coverage: 'Interest Coverage Ratio (Interest expense to EBIT)',
  equity_to_liability: 'Equity to Liability',
};

const file = process.argv[2];
if (file === undefined) throw new Error('usage: node scripts/sample/extract.ts <taiwan_bankruptcy_labelled_5807.csv>');
const rows = parse<Record<string, string>>(readFileSync(file), { columns: (header: string[]) => header.map((name) => name.trim()) });
const cell = (row: Record<string, string>, column: string) => {
  const value = row[column];
  if (value === undefined || value === '') throw new Error(`no value in column ${column}`);
  return String(Number(value));
};
const lines = rows.map((row) => [...Object.values(columns).map((column) => cell(row, column)), cell(row, 'Bankrupt?')].join());
const text = [[...Object.keys(columns), labelColumn].join(), ...lines, ''].join('\n');
writeFileSync(extractFile, gzipSync(text, { level: 9 }));
process.stdout.write(`${rows.length} enterprises in ${path.basename(extractFile)}\n`);
