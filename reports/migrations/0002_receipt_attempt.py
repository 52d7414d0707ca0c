from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("reports", "0001_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="receipt_attempt",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
