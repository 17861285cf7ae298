'use strict';
// Reads an HdrHistogram log as npm's hdr-histogram-js does: a line of JSON a histogram.

const fs = require('fs');
const hdr = require('hdr-histogram-js');

const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[2], 'utf8'));
for (let one; (one = reader.nextIntervalHistogram()) !== null; )
    console.log(JSON.stringify({tag: one.tag, count: one.totalCount, max: one.maxValue, p50: one.getValueAtPercentile(50),
                                p99: one.getValueAtPercentile(99)}));
