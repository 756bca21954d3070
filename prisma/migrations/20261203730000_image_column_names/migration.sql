-- Which of Zoho's images a photo is (main | gallery), and the settings that made a variant: columns
-- named as the code names them. Views keep reading the renamed columns.
alter table photo rename column place to kind;
alter table variant rename column recipe to settings_id;
