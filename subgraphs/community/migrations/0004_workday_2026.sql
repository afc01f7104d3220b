-- +goose Up
-- The State Council's arrangement of 2026's holidays (国务院办公厅关于2026年部分节假日安排的通知).
-- Only days that depart from "Monday to Friday is work" need a row; the others do no harm.
INSERT INTO community.workday (day, work, name)
SELECT day::date, work, name
FROM (VALUES
    ('2026-01-01'::date, '2026-01-03'::date, false, '元旦'),
    ('2026-01-04', '2026-01-04', true,  '元旦调休上班'),
    ('2026-02-15', '2026-02-23', false, '春节'),
    ('2026-02-14', '2026-02-14', true,  '春节调休上班'),
    ('2026-02-28', '2026-02-28', true,  '春节调休上班'),
    ('2026-04-04', '2026-04-06', false, '清明节'),
    ('2026-05-01', '2026-05-05', false, '劳动节'),
    ('2026-05-09', '2026-05-09', true,  '劳动节调休上班'),
    ('2026-06-19', '2026-06-21', false, '端午节'),
    ('2026-09-25', '2026-09-27', false, '中秋节'),
    ('2026-10-01', '2026-10-07', false, '国庆节'),
    ('2026-09-20', '2026-09-20', true,  '国庆节调休上班'),
    ('2026-10-10', '2026-10-10', true,  '国庆节调休上班')
) AS holiday(first, last, work, name)
CROSS JOIN LATERAL generate_series(first::timestamp, last::timestamp, INTERVAL '1 day') AS day;
