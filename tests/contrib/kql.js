// SPDX-License-Identifier: BSD-2-Clause
// node kql.js PACKAGE <QUERIES: Microsoft's language service reads each query of the JSON object on
// stdin, {name: {tables: {NAME: "Column: type, ..."}, query}}, and names are resolved against these
// tables. Prints {name: [what it has to say]}.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

for (const file of ["bridge.js", "Kusto.Language.Bridge.js"]) {
	const source = fs.readFileSync(path.join(process.argv[2], file), "utf8");
	vm.runInThisContext(source, { filename: file });
}

const Language = globalThis.Kusto.Language;
const Symbols = Language.Symbols;

function globalsWith(tables) {
	const made = Object.entries(tables).map(([name, columns]) =>
		Symbols.TableSymbol.From(`(${columns})`).WithName(name));
	const database = new Symbols.DatabaseSymbol.$ctor1("workspace", made);
	return Language.GlobalState.Default.WithDatabase(database);
}

function diagnose({ tables, query }) {
	const code = Language.KustoCode.ParseAndAnalyze(query, globalsWith(tables));
	const found = code.GetDiagnostics();
	const said = [];
	for (let i = 0; i < found.Count; i++) {
		const one = found.getItem(i);
		said.push(`${one.Severity}: ${one.Message} at "${query.substr(one.Start, one.Length)}"`);
	}
	const columns = [];
	const result = code.ResultType;
	for (let i = 0; result && result.Columns && i < result.Columns.Count; i++)
		columns.push(result.Columns.getItem(i).Name);
	return { said, columns };
}

const queries = JSON.parse(fs.readFileSync(0, "utf8"));
const answers = Object.fromEntries(
	Object.entries(queries).map(([name, query]) => [name, diagnose(query)]));
process.stdout.write(JSON.stringify(answers));
