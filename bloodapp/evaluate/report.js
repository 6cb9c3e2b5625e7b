// Draws the charts from the JSON beside them. In print they take the width of the sheet.
(() => {
  const options = {displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false};
  const holders = [];
  for (const source of document.querySelectorAll('script[data-figure]')) {
    const holder = document.getElementById(source.dataset.figure);
    const figure = JSON.parse(source.textContent);
    holders.push(holder);
    Plotly.newPlot(holder, figure.data, figure.layout, options);
  }
  // A chart in a closed part was drawn without a width.
  const fit = part => holders.forEach(holder => {
    if (part.contains(holder) && holder.offsetWidth) Plotly.Plots.resize(holder);
  });
  for (const part of document.querySelectorAll('details')) part.addEventListener('toggle', () => fit(part));
  const opened = [];
  window.addEventListener('beforeprint', () => {
    for (const part of document.querySelectorAll('details:not([open]):not(.unprinted)')) {
      part.open = true;
      opened.push(part);
    }
    document.documentElement.classList.add('printing');
    for (const holder of holders) Plotly.relayout(holder, {width: Math.min(holder.offsetWidth, 680)});
  });
  window.addEventListener('afterprint', () => {
    document.documentElement.classList.remove('printing');
    while (opened.length) opened.pop().open = false;
    for (const holder of holders) Plotly.relayout(holder, {width: null, autosize: true});
    fit(document);
  });
})();
