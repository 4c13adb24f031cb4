"""What calcifications mean: vocabulary, decision tables with citations, engine, proof."""
