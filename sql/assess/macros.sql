-- Figures as officers read them. Money inside the rules is whole numbers; it is rounded only here.
create or replace macro round_half_up(numerator, denominator) as
    (2 * (numerator)::hugeint + (denominator)::hugeint) // (2 * (denominator)::hugeint);

-- Hundredths of a yuan as text: 123456 -> '1234.56'.
create or replace macro yuan(cents) as
    ((cents)::hugeint // 100)::varchar || '.' || lpad(((cents)::hugeint % 100)::varchar, 2, '0');
